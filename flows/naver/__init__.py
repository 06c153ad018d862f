"""The only room that knows Naver. Pure: bytes in, values out."""
