# Two stages: packages are installed where pip may write, and run where nothing may.
FROM python:3.12-slim-bookworm AS packages
WORKDIR /app
RUN python -m venv /app/.venv
# requirements-extras.txt brings what Kafka and MQTT need, and more learners.
ARG REQUIREMENTS=requirements.txt
COPY requirements.txt requirements-extras.txt ./
RUN /app/.venv/bin/python -m pip install --no-cache-dir --no-compile --only-binary=:all: \
        --require-hashes -r ${REQUIREMENTS} \
    && /app/.venv/bin/python -m compileall -q -j 0 /app/.venv/lib

FROM python:3.12-slim-bookworm
# initdb looks its user up, so the number needs a name.
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin shield \
    && install -d -o shield -g shield -m 0700 /data /secrets
WORKDIR /app
COPY --from=packages /app/.venv /app/.venv
COPY . .
RUN /app/.venv/bin/python -m compileall -q -j 0 alerts anomalyshield cases scoring
# Under /app only the caches of compiled code would be written; numba's goes to the data.
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    OMP_NUM_THREADS=1 \
    OMP_WAIT_POLICY=passive \
    NUMBA_CACHE_DIR=/data/numba \
    ANOMALYSHIELD_VAR=/data \
    HOST=0.0.0.0 \
    PORT=8000
USER 10001
VOLUME ["/data"]
EXPOSE 8000
STOPSIGNAL SIGTERM
# Alive is any answer of ours: a refused host name or a redirect to TLS is one too.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
    CMD ["python", "-c", "import http.client, os; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); c.request('GET', '/health'); raise SystemExit(c.getresponse().status >= 500)"]
# By itself the image is the whole platform with its own database; docker-compose.yml splits it.
CMD ["python", "manage.py", "up"]
