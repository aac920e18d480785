# The connector as a service: state in /var/lib/connector, the mapping in /etc/connector/mapping.yaml.

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
    && install --directory --owner connector --mode 0700 /var/lib/connector
COPY --from=build /opt/connector /opt/connector
ENV PATH=/opt/connector/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CONNECTOR_STATE_URL=sqlite:////var/lib/connector/connector.db \
    CONNECTOR_SPOOL_DIR=/var/lib/connector/spool \
    CONNECTOR_MAPPING=/etc/connector/mapping.yaml \
    CONNECTOR_LOG_FORMAT=json
USER connector
WORKDIR /var/lib/connector
VOLUME /var/lib/connector
ENTRYPOINT ["gong-connector"]
CMD ["run"]
