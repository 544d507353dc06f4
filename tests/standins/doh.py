"""A server of DNS over HTTPS (RFC 8484) that knows a few names."""

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Reply = Callable[[dns.message.Message], bytes]
"""What it answers to a question: an HTTP response; with nothing it hangs up."""


def knows(table: Mapping[str, Sequence[str]]) -> Reply:
    """A server that knows these names' addresses, and aliases: `-> other.name.`."""

    def reply(query: dns.message.Message) -> bytes:
        return http(response(query, table))

    return reply


def response(query: dns.message.Message, table: Mapping[str, Sequence[str]]) -> bytes:
    """The message that answers a question."""
    answer = dns.message.make_response(query)
    (question,) = query.question
    name = question.name.to_text()
    if name not in table:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    while table.get(name, [])[:1] and table[name][0].startswith("-> "):
        target = table[name][0].removeprefix("-> ")
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", target))
        name = target
    wanted = ":" if question.rdtype == dns.rdatatype.AAAA else "."
    records = [address for address in table.get(name, []) if wanted in address]
    if records:
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", question.rdtype, *records))
    return answer.to_wire()


def http(body: bytes, status: str = "200 OK", fields: str = "") -> bytes:
    """A response with a DNS message in it."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/dns-message\r\nContent-Length: {len(body)}\r\n{fields}\r\n"
    return head.encode() + body


@asynccontextmanager
async def doh_server(tls: ssl.SSLContext, reply: Reply) -> AsyncGenerator[tuple[str, list[str]]]:
    """The URL of a server on 127.0.0.1, and the questions that it was asked."""
    questions: list[str] = []
    here: list[tuple[asyncio.Task[None] | None, asyncio.StreamWriter]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here.append((asyncio.current_task(), writer))
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: *([0-9]+)", head)
                assert length, head
                query = dns.message.from_wire(await reader.readexactly(int(length[1])))
                questions.append(query.question[0].to_text())
                answer = reply(query)
                writer.write(answer)
                await writer.drain()
                if not answer:
                    return
        except (EOFError, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/dns-query", questions
    finally:
        server.close()
        for _, writer in here:
            writer.transport.abort()
        await asyncio.gather(*(task for task, _ in here if task), return_exceptions=True)
