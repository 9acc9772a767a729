# docker build -t glyphscope . && docker run -p 7860:7860 glyphscope
# With another model: docker run -p 7860:7860 -v /path/to/weights:/weights -e GLYPHSCOPE_MODEL=/weights/folder glyphscope
FROM python:3.11-slim

# Address of an index with CPU builds of torch (much smaller); empty: the index that pip is set to.
ARG TORCH_INDEX=

# What is fetched from a hub, or brought along, lies in the volume and outlives the container.  Any user may run this
# (--user 4711), also with --read-only and --tmpfs /tmp: packages and page belong to root, and nobody writes to them.
RUN useradd --create-home --uid 1000 user \
    && mkdir --mode=1777 /weights
WORKDIR /home/user/app
ENV GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    GRADIO_ANALYTICS_ENABLED=False \
    HF_HOME=/weights/hub \
    PYTHONUNBUFFERED=1

COPY requirements.txt .
RUN pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r requirements.txt
COPY . .
RUN chmod -R a+rX /home/user
USER 1000
VOLUME /weights

EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/gs/alive', timeout=5)"]
CMD ["python", "app.py"]
