"""Ways to lead a fetcher into the network that it stands in. ``{port}`` is that of a server of ours that must not hear of it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

WAYS = {
    "loopback": "http://127.0.0.1/",
    "elsewhere on loopback": "http://127.8.9.10:{port}/",
    "localhost": "http://localhost:{port}/",
    "localhost with a dot": "http://localhost.:{port}/",
    "localhost in capitals": "http://LOCALHOST:{port}/",
    "zero": "http://0:{port}/",
    "all zeros": "http://0.0.0.0:{port}/",
    "decimal": "http://2130706433:{port}/",
    "octal": "http://0177.0.0.1:{port}/",
    "long octal": "http://017700000001:{port}/",
    "padded octal": "http://0000177.0.0.01:{port}/",
    "hexadecimal": "http://0x7f000001:{port}/",
    "hexadecimal parts": "http://0x7f.0x0.0x0.0x1:{port}/",
    "short": "http://127.1:{port}/",
    "three parts": "http://127.0.1:{port}/",
    "dot behind": "http://127.0.0.1.:{port}/",
    "circled digits": "http://①②⑦.⓪.⓪.①:{port}/",
    "full-width digits": "http://１２７.０.０.１:{port}/",
    "ideographic dots": "http://127。0。0。1:{port}/",
    "circled letters": "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/",
    "escaped digits": "http://%31%32%37.0.0.1:{port}/",
    "escaped dot": "http://127%2e0%2e0%2e1:{port}/",
    "private 10": "http://10.0.0.1/",
    "private 172": "http://172.16.5.4/",
    "private 192": "http://192.168.1.1/",
    "link-local": "http://169.254.1.1/",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "metadata as a number": "http://2852039166/latest/meta-data/",
    "metadata of another cloud": "http://168.63.129.16/machine",
    "metadata of a third cloud": "http://100.100.100.200/latest/meta-data/",
    "shared address space": "http://100.64.0.1/",
    "protocol assignments": "http://192.0.0.192/",
    "benchmarking": "http://198.18.0.1/",
    "documentation": "http://203.0.113.5/",
    "multicast": "http://224.0.0.1/",
    "reserved": "http://240.0.0.1/",
    "broadcast": "http://255.255.255.255/",
    "relay": "http://192.88.99.1/",
    "IPv6 unspecified": "http://[::]:{port}/",
    "IPv6 loopback": "http://[::1]:{port}/",
    "IPv6 loopback in full": "http://[0:0:0:0:0:0:0:1]:{port}/",
    "IPv4-mapped": "http://[::ffff:127.0.0.1]:{port}/",
    "IPv4-mapped metadata": "http://[::ffff:a9fe:a9fe]/",
    "IPv4-compatible": "http://[::127.0.0.1]:{port}/",
    "IPv4-translated": "http://[::ffff:0:127.0.0.1]:{port}/",
    "NAT64": "http://[64:ff9b::7f00:1]/",
    "local NAT64": "http://[64:ff9b:1::7f00:1]/",
    "6to4": "http://[2002:7f00:1::]/",
    "Teredo": "http://[2001:0:7f00:1::]/",
    "IPv6 link-local": "http://[fe80::1]/",
    "with a zone": "http://[fe80::1%25eth0]/",
    "site-local": "http://[fec0::1]/",
    "unique local": "http://[fc00::1]/",
    "metadata by IPv6": "http://[fd00:ec2::254]/latest/",
    "IPv6 multicast": "http://[ff02::1]/",
    "IPv6 documentation": "http://[2001:db8::1]/",
    "user name": "http://user@127.0.0.1:{port}/",
    "password": "http://user:secret@news.example/",
    "host as user name": "http://news.example@127.0.0.1:{port}/",
    "host as password": "http://a:news.example@127.0.0.1:{port}/",
    "fragment before at": "http://127.0.0.1:{port}#@news.example/",
    "backslash": "http://127.0.0.1:{port}\\@news.example/",
    "question mark": "http://127.0.0.1:{port}?@news.example/",
    "a name that leads to loopback": "http://loop.example:{port}/",
    "a name that leads to a private host": "http://inner.example/",
    "a name that leads to metadata": "http://meta.example/",
    "a name that leads to mapped loopback": "http://mapped.example:{port}/",
    "a name with one bad address among good ones": "http://mixed.example:{port}/",
    "a name that changes its mind": "http://rebind.example:{port}/",
    "encrypted": "https://127.0.0.1:{port}/",
    "mail port": "http://news.example:25/",
    "another mail port": "https://news.example:587/",
    "database port": "http://news.example:6379/",
    "port beyond all": "http://news.example:99999/",
    "no host": "http:///path",
    "FTP": "ftp://news.example/",
    "file": "file:///etc/passwd",
    "gopher": "gopher://127.0.0.1:25/",
    "LDAP": "ldap://127.0.0.1/",
    "data": "data:text/plain,hello",
    "script": "javascript:alert(1)",
    "no scheme": "//127.0.0.1/",
}
"""Name: address. Every one is to be refused, at every door."""

NAMES = {
    "localhost": ["127.0.0.1"],
    "loop.example": ["127.0.0.1"], "inner.example": ["10.1.2.3"], "meta.example": ["169.254.169.254"], "mapped.example": ["::ffff:127.0.0.1"],
    "own.example": ["127.0.0.1"], "mixed.example": ["93.184.216.34", "127.0.0.1"], "news.example": ["93.184.216.34"],
}  # fmt: skip


@contextmanager
def watched(own: int) -> Iterator[list[object]]:
    """Everything that is connected to meanwhile, but for our own server at port ``own`` of 127.0.0.1; nothing gets through.

    ``rebind.example`` is on the open internet the first time it is asked for, and at 127.0.0.1 from then on.
    """
    attempts: list[object] = []
    asked: list[str] = []
    really_resolve, really_connect = socket.getaddrinfo, socket.socket.connect

    def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
        name = (host.decode() if isinstance(host, bytes) else str(host)).rstrip(".").lower()
        if name == "rebind.example":
            asked.append(name)
            found = ["93.184.216.34"] if len(asked) % 2 else ["127.0.0.1"]
        elif name in NAMES:
            found = NAMES[name]
        else:
            return really_resolve(host, port, *args, **kwargs)
        return [
            (socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in found
        ]

    def connect(self: socket.socket, address: Any) -> None:
        if address == ("127.0.0.1", own):
            really_connect(self, address)
            return
        attempts.append(address)
        raise ConnectionRefusedError

    with mock.patch.object(socket, "getaddrinfo", resolve), mock.patch.object(socket.socket, "connect", connect):
        yield attempts
