"""What gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from anomalyshield.counted import counted

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anomalyshield.settings")
application = counted(get_wsgi_application())
