FROM python:3.12-slim AS build
WORKDIR /src
RUN python -m venv /opt/evoproxy
COPY pyproject.toml constraints.txt README.md ./
COPY lua lua
COPY service service
# Not --constraint, which does not bind the build backend; pip from 25.3 on binds it by the second.
ENV PIP_CONSTRAINT=/src/constraints.txt PIP_BUILD_CONSTRAINT=/src/constraints.txt
RUN /opt/evoproxy/bin/pip install --no-cache-dir '.[postgresql,mysql]'

FROM python:3.12-slim
# For a deployment without REDIS_URL: the private redis-server in the data dir.
RUN apt-get update \
    && apt-get install -y --no-install-recommends redis-server \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin evoproxy \
    && install -d -o evoproxy -m 0700 /data
COPY --from=build /opt/evoproxy /opt/evoproxy
ENV PATH=/opt/evoproxy/bin:$PATH PYTHONUNBUFFERED=1 EVOPROXY_DATA_DIR=/data EVOPROXY_HOST=0.0.0.0
# By number, so that a cluster can see that it is not root.
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --start-period=30s --interval=15s --timeout=5s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('EVOPROXY_PORT', '8080')}/livez\", timeout=4)"]
ENTRYPOINT ["evoproxy"]
CMD ["serve"]
