# Serves models over HTTP: the handler of Predict, onnxruntime and an HTTP server. Build from the repository's root:
#   docker build -f docker/serve.Dockerfile -t dropforge-serve .
#   docker run -p 8080:8080 -v "$PWD/run:/models:ro" dropforge-serve
# Pin BASE_IMAGE by its digest if builds must be reproducible.
ARG BASE_IMAGE=python:3.11-slim
FROM ${BASE_IMAGE}

COPY docker/serve.requirements.txt /tmp/requirements.txt
RUN python3 -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check -r /tmp/requirements.txt \
 && rm /tmp/requirements.txt
ENV PATH=/opt/venv/bin:$PATH

WORKDIR /opt/dropforge
COPY dropforge/__init__.py dropforge/__init__.py
COPY dropforge/pictures.py dropforge/pictures.py
COPY dropforge/contract dropforge/contract
COPY dropforge/serve dropforge/serve
COPY dropforge/inference dropforge/inference
RUN python -m compileall -q dropforge && useradd --uid 1000 server

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ORT_DISABLE_TELEMETRY=1 OPENBLAS_NUM_THREADS=1
USER 1000
EXPOSE 8080
ENTRYPOINT ["python", "-m", "dropforge.serve", "--host", "0.0.0.0"]
CMD ["/models"]
