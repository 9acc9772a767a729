"""What other sites are told: the preview of a link, and who may show the page in a frame."""

import io

import pytest
from PIL import Image

from app.web.preview import SIZE, _picture, site_of, with_preview
from app.web.security import EMBED, security_headers
from app.wording.catalogue import LANGUAGES, say
from app.wording.errors import UserError

PAGE = (
    b'<html><head>\n<meta charset="utf-8" /><meta property="og:title" content="Gradio" />\n<meta\n\tproperty="og:image"'
    b'\n\tcontent="https://x/y.jpg"\n/><meta name="twitter:creator" content="@Gradio" /><script>a = \'<meta '
    b'property="og:title" content="kept">\'</script></head><body></body></html>'
)


def scope(**headers: str) -> dict[str, object]:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "scheme": "http", "root_path": "", "headers": named}


@pytest.mark.parametrize("language", LANGUAGES)
def test_our_tags_take_the_place_of_gradios_and_nothing_else_changes(language: str) -> None:
    page = with_preview(PAGE, scope(host="a.org:7860", x_forwarded_proto="https"), language).decode()
    assert say("tagline", language) in page and '"og:image" content="https://a.org:7860/gs/preview.png"' in page
    assert "@Gradio" not in page and "y.jpg" not in page and 'content="Gradio"' not in page
    assert 'charset="utf-8"' in page and 'content="kept"' in page and page.endswith("<body></body></html>")


@pytest.mark.parametrize("host", ['a"><script>', "a.org/x", "a b", "", "a@b", "x" * 300])
def test_a_host_that_is_none_gets_no_picture(host: str) -> None:
    assert site_of(scope(host=host)) == ""
    assert site_of(scope(host="a.org", x_forwarded_proto="javascript")) == ""


def test_the_picture_has_the_size_that_sites_want_and_is_small() -> None:
    with Image.open(io.BytesIO(_picture())) as picture:
        assert picture.size == SIZE
    assert len(_picture()) < 300_000


def test_the_header_names_the_sites_and_nothing_that_is_none() -> None:
    policy = security_headers()["content-security-policy"]
    assert policy.endswith(f"frame-ancestors 'self' {EMBED}") and EMBED == "https://huggingface.co https://*.hf.space"
    assert security_headers("")["content-security-policy"].endswith("frame-ancestors 'self'")
    assert "https://school.example:8443" in security_headers("https://school.example:8443")["content-security-policy"]
    for hostile in (
        "*",
        "https://*",
        "x; script-src *",
        "https://a.org;",
        "javascript:",
        "https://a.org\r\nx:",
        "a.org",
    ):
        with pytest.raises(UserError):
            security_headers(hostile)
