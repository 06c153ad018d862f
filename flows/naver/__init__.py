"""Everything that is known of Naver's pages and addresses. Pure: bytes in, values out; no other package knows them."""
