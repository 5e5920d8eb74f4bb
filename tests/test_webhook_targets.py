"""Where a webhook may lead: every spelling of an inner address is refused, at creation and again at sending."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fv import spelling
from fv.webhooks import targets
from fv.webhooks.targets import NOTHING, Allowed, Target, is_public, may_be_called, parse

INSIDE = (
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255", "127.0.0.1",
    "127.255.255.254", "168.63.129.16", "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192",
    "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "fc00::1",
    "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "64:ff9b::7f00:1", "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254", "64:ff9b:1::8.8.8.8", "2002:7f00:1::",
    "2002:a00:1::1", "2002:808:808::1", "2001::1", "2001:0:808:808::1",
    "2001:10::1", "2001:20::1", "2001:db8::1", "3fff::1", "100::1", "5f00::1", "4000::1",
)  # fmt: skip
OUTSIDE = (
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1",
    "168.63.129.17", "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
    "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2001:4860:4860::8888",
    "2a00:1450::1", "64:ff9b::8.8.8.8",
)  # fmt: skip


@pytest.mark.parametrize("text", INSIDE)
def test_what_is_inside_or_wraps_it_is_not_public(text):
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", OUTSIDE)
def test_what_is_out_in_the_internet_is_public(text):
    assert is_public(ipaddress.ip_address(text))


@given(st.ip_addresses())
def test_nothing_is_public_that_the_standard_library_calls_private(address):
    if (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
    ):
        assert not is_public(address) or address in ipaddress.ip_network("64:ff9b::/96")


#: No whole address in its plain form: what a resolver, a browser or curl would repair into something else.
TRICKS = (
    "", "https", "https://", "https:///", "hooks.example.com", "//hooks.example.com/", "ftp://hooks.example.com/",
    "file:///etc/passwd", "gopher://hooks.example.com/", "javascript:alert(1)", "HTTPS://hooks.example.com/",
    "https:/hooks.example.com/", "https:\\\\hooks.example.com\\", "https://hooks.example.com\\@127.0.0.1/",
    "https://user@hooks.example.com/", "https://user:pw@hooks.example.com/", "https://@hooks.example.com/",
    "https://hooks.example.com@127.0.0.1/", "https://hooks.example.com#@127.0.0.1/", "https://hooks.example.com/#x",
    "https://2130706433/", "https://017700000001/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0177.0.0.1/",
    "https://127.1/", "https://127.0.1/", "https://0/", "https://127.0.0.01/", "https://127.0.0.1./", "https://256.1.1.1/",
    "https://1.2.3.4.5/", "https://localhost./", "https://127。0。0。1/", "https://①②⑦.0.0.1/", "https://ｌocalhost/",
    "https://hooks.exa mple.com/", "https://hooks.example.com/a b", "https://hooks.example.com/\r\nX: y",
    "https://hooks.example.com/\x00", "https://hooks.example.com/ä", "https://hööks.example.com/", " https://a.example/",
    "https://a.example/ ", "https://a.example/\n", "https://a.example/%0d%0aX", "https://a.example//127.0.0.1",
    "https://a.example:0/", "https://a.example:65536/", "https://a.example:99999/", "https://a.example:/",
    "https://a.example:0443/", "https://a.example:443:443/", "https://a.example:+443/", "https://[::1/", "https://::1/",
    "https://[::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[1.1.1.1]/", "https://[::g]/", "https://[]/",
    "https://-a.example/", "https://a-.example/", "https://.a.example/", "https://a..example/", "https://a.1/",
    f"https://{'a' * 64}.example/", f"https://{'a.' * 130}example/", f"https://a.example/{'a' * 2000}",
)  # fmt: skip


@pytest.mark.parametrize("text", TRICKS)
def test_every_trick_of_spelling_is_refused(text):
    assert parse(text) is None


def test_whole_addresses_are_read_as_they_look():
    assert parse("https://hooks.Example.com") == Target("https", "hooks.example.com", 443, "/")
    assert parse("https://a.example:8443/x/y?z=1&w=%20") == Target("https", "a.example", 8443, "/x/y?z=1&w=%20")
    assert parse("https://a.example?z") == Target("https", "a.example", 443, "/?z")
    assert parse("http://10.0.0.5:9000/hook") == Target("http", "10.0.0.5", 9000, "/hook")
    assert parse("https://[2606:4700:0::1111]:8443/") == Target("https", "2606:4700::1111", 8443, "/")
    assert [parse(text).authority for text in (
        "https://a.example:443/", "https://a.example:8443/", "http://a.example/", "https://[2606:4700::1]/",
        "https://[2606:4700::1]:8443/",
    )] == ["a.example", "a.example:8443", "a.example", "[2606:4700::1]", "[2606:4700::1]:8443"]  # fmt: skip


def called(url, *addresses, allowed=NOTHING):
    return may_be_called(parse(url), [ipaddress.ip_address(one) for one in addresses], allowed)


def test_it_leads_to_https_in_the_internet_and_nowhere_else():
    assert called("https://a.example/", "1.1.1.1", "2606:4700::1111") and called("https://a.example:8443/", "1.1.1.1")
    assert called("https://a.example/"), "a name that nobody knows yet is looked up again"
    assert not called("http://a.example/", "1.1.1.1") and not called("http://a.example/")
    assert not called("https://a.example:25/", "1.1.1.1") and not called("https://a.example:80/", "1.1.1.1")
    for inside in INSIDE:
        assert not called("https://a.example/", inside)
        assert not called("https://a.example/", "1.1.1.1", inside), "one of them is enough"


def test_what_is_listed_is_reached_though_it_is_inside_and_by_plain_http_too():
    allowed = spelling.reached("hooks.Internal, 10.0.0.0/8 ::1")
    assert allowed == Allowed(
        frozenset({"hooks.internal"}), (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128"))
    )
    assert called("http://hooks.internal:25/", "192.168.0.1", allowed=allowed)
    assert called("http://a.example:81/", "10.1.2.3", allowed=allowed) and called(
        "http://[::1]/", "::1", allowed=allowed
    )
    assert called("https://a.example/", "10.1.2.3", "1.1.1.1", allowed=allowed)
    assert not called("http://a.example/", "10.1.2.3", "1.1.1.1", allowed=allowed), "plain HTTP leaves the network"
    assert not called("https://a.example/", "10.1.2.3", "192.168.0.1", allowed=allowed)
    assert not called("http://a.hooks.internal/", "192.168.0.1", allowed=allowed)
    assert not called("http://hooks.internal.evil.example/", allowed=allowed)
    assert not called("https://x.example/", "::ffff:10.0.0.1", allowed=allowed)
    assert spelling.reached("") == NOTHING


@pytest.mark.parametrize(
    "text", ["http://a.example", "10.0.0.1/8", "a_.example", "*.example", "10.0.0", "a.example:80"]
)
def test_what_lists_neither_hosts_nor_networks_is_refused(text):
    with pytest.raises(ValueError, match="hosts, addresses or networks"):
        spelling.reached(text)


@given(st.text(max_size=60) | st.from_regex(targets._URL, fullmatch=True))
def test_whatever_is_read_is_plain_ascii_without_a_line_end(text):
    target = parse(text)
    if target:
        assert text.isascii() and text.isprintable() and " " not in text
        assert target.path.startswith("/") and not target.path.startswith("//") and "#" not in target.path
