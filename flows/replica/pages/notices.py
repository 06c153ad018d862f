"""Pages without an article (deleted, unavailable, blocked), and the variants of robots.txt."""

from __future__ import annotations

from enum import StrEnum


class Robots(StrEnum):
    """The content of a host's robots.txt."""

    ALLOW = "allow"
    FORBID = "forbid"
    SLOW = "slow"  # Crawl-delay: 2
    BROKEN = "broken"  # status 503
    MISSING = "missing"  # status 404


_ROBOTS_TEXT = {
    Robots.ALLOW: "User-agent: *\nAllow: /\n",
    Robots.FORBID: "User-agent: Yeti\nAllow: /\n\nUser-agent: *\nDisallow: /\n",
    Robots.SLOW: "User-agent: *\nCrawl-delay: 2\nAllow: /\n",
    Robots.BROKEN: "Service Unavailable\n",
    Robots.MISSING: "Not Found\n",
}
_ROBOTS_STATUS = {Robots.BROKEN: 503, Robots.MISSING: 404}


def robots_txt(variant: Robots) -> tuple[int, bytes]:
    """Status and body of a robots.txt."""
    return _ROBOTS_STATUS.get(variant, 200), _ROBOTS_TEXT[variant].encode()


def gone_page(*, notice: str = "삭제된 기사입니다") -> bytes:
    """The page for an article that was deleted or withdrawn."""
    return _page(
        "네이버 뉴스",
        f'<div class="error_msg 404_error"><strong>{notice}.</strong><p>다른 기사를 찾아보세요.</p></div>',
    )


def unavailable_page() -> bytes:
    """The "temporarily unavailable" page: a fault of the site that says nothing about the article."""
    return _page(
        "Service Temporarily Unavailable",
        "<h1>Service Temporarily Unavailable</h1><p>잠시 후 다시 시도해 주세요.</p>",
    )


def block_page() -> bytes:
    """The page for clients that the site takes for robots."""
    text = "비정상적인 접근이 감지되어 서비스 이용이 제한되었습니다."
    return _page(
        "서비스 이용 제한", f'<div class="captcha_wrap"><h1>{text}</h1><form><input name="captcha"></form></div>'
    )


def _page(title: str, body: str) -> bytes:
    head = f'<head><meta charset="utf-8"><title>{title}</title></head>'
    return f'<!doctype html><html lang="ko">{head}<body>{body}</body></html>'.encode()
