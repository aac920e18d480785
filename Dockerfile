# The connector as a service: state in /var/lib/connector, the mapping in /etc/connector/mapping.yaml, secrets in
# /run/secrets. It runs with a read-only root file system; only /var/lib/connector is written to.

FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/connector \
    && /opt/connector/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md ./
COPY migrations migrations
COPY config config
COPY connector connector
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/connector/bin/pip install --no-cache-dir --no-deps --no-index /wheels/*.whl

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/connector connector \
    && install --directory --owner connector --mode 0700 /var/lib/connector \
    && install --directory /run/secrets
COPY --from=build /opt/connector /opt/connector
# hadolint ignore=DL3064  # a directory's name is no secret
ENV PATH=/opt/connector/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CONNECTOR_STATE_URL=sqlite:////var/lib/connector/connector.db \
    CONNECTOR_SPOOL_DIR=/var/lib/connector/spool \
    CONNECTOR_MAPPING=/etc/connector/mapping.yaml \
    CONNECTOR_SECRETS_DIR=/run/secrets \
    CONNECTOR_LOG_FORMAT=json
USER 10001
WORKDIR /var/lib/connector
VOLUME /var/lib/connector
EXPOSE 8080
# Of `run`; switch it off for other commands (docker run --no-healthcheck).
HEALTHCHECK --start-period=60s --interval=30s --timeout=5s --retries=3 CMD ["python", "-c", \
    "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('CONNECTOR_WEB_PORT', 8080)}/healthz\", timeout=4)"]
ENTRYPOINT ["gong-connector"]
CMD ["run"]
