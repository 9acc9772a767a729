# docker build -t glyphscope . && docker run -p 7860:7860 glyphscope
FROM python:3.11-slim

# Address of an index with CPU builds of torch (much smaller); empty: the index that pip is set to.
ARG TORCH_INDEX=

RUN useradd --create-home --uid 1000 user
USER user
WORKDIR /home/user/app
ENV PATH=/home/user/.local/bin:$PATH \
    GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    GRADIO_ANALYTICS_ENABLED=False \
    PYTHONUNBUFFERED=1

COPY --chown=user requirements.txt .
RUN pip install --no-cache-dir --user ${TORCH_INDEX:+--index-url $TORCH_INDEX} "$(grep '^torch==' requirements.txt)" \
    && pip install --no-cache-dir --user -r requirements.txt
COPY --chown=user . .

EXPOSE 7860
HEALTHCHECK --start-period=60s CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/', timeout=5)"
CMD ["python", "app.py"]
