"""One JSON object per log line, with the request it belongs to."""

import json
import logging
from datetime import UTC, datetime

from anomalyshield.context import asking


class JsonFormatter(logging.Formatter):
    """ECS field names. json.dumps escapes line ends, so one event is one line, whatever it says."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "@timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "log.level": record.levelname.lower(),
            "log.logger": record.name,
            "message": record.getMessage(),
            "trace.id": asking().request_id,
        }
        if record.exc_info:
            line["error.stack_trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True)
