# docker build -t glyphscope . && docker run -p 7860:7860 glyphscope
# With another model: docker run -p 7860:7860 -v /path/to/weights:/weights -e GLYPHSCOPE_MODEL=/weights/folder glyphscope
FROM python:3.11-slim

# Address of an index with CPU builds of torch (much smaller); empty: the index that pip is set to.
ARG TORCH_INDEX=

RUN useradd --create-home --uid 1000 user \
    && mkdir --mode=755 /weights \
    && chown user:user /weights
USER 1000
WORKDIR /home/user/app
# What is fetched from a hub, or brought along, lies in the volume and outlives the container.
ENV PATH=/home/user/.local/bin:$PATH \
    GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    GRADIO_ANALYTICS_ENABLED=False \
    HF_HOME=/weights/hub \
    PYTHONUNBUFFERED=1
VOLUME /weights

COPY --chown=user:user requirements.txt .
RUN pip install --no-cache-dir --user ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r requirements.txt
COPY --chown=user:user . .

EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/gs/alive', timeout=5)"]
CMD ["python", "app.py"]
