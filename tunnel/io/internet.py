"""What this program knows of the internet: every address, version and checksum of a service that is not ours, in one place."""

from collections.abc import Mapping
from typing import Final

DOH_SERVERS: Final = ("https://1.1.1.1/dns-query", "https://1.0.0.1/dns-query", "https://8.8.8.8/dns-query")
"""Resolvers that answer DNS over HTTPS (RFC 8484), by address: they are reached without a resolver."""

QUICK_TUNNEL_API: Final = "api.trycloudflare.com"
"""Where cloudflared asks for a quick tunnel, by HTTPS."""

EDGE_HOSTS: Final = ("region1.v2.argotunnel.com", "region2.v2.argotunnel.com")
"""Where cloudflared connects to for a tunnel; one of them is enough."""

EDGE_PORT: Final = 7844
"""By UDP first, else by TCP."""

CLOUDFLARED_VERSION: Final = "2026.6.1"
"""The release of cloudflared that is downloaded where none is installed."""

CLOUDFLARED_DOWNLOADS: Final = "https://github.com/cloudflare/cloudflared/releases/download"
"""Where it is downloaded from: /VERSION/ASSET."""

CLOUDFLARED_MANUAL: Final = "https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/downloads/"
"""Where a person finds how to install it by hand."""

CLOUDFLARED_SHA256: Final[Mapping[str, str]] = {
    "cloudflared-darwin-amd64.tgz": "d7a66b525fe76820da6e5406611b61e48b40de682368ac00454d9158f085be4b",
    "cloudflared-darwin-arm64.tgz": "f6d4c439c6c782b83264951d327989ce5e23373acc5942b872411601fedb020d",
    "cloudflared-linux-amd64": "5861a10a438fe8ddcfebb3b830f83966cbf193edafce0fe2eeb198fbae1f7a22",
    "cloudflared-linux-arm64": "59816ce9b16db71f5bc2a86d59b3632a96c8c3ee934bde2bc8641ee83a6070eb",
    "cloudflared-windows-amd64.exe": "5253e66f1f493c4e13539749f1aa86fd0c61e3072900fec29a44ba046a6d97e2",
}
"""SHA-256 of each asset of that release."""

CLOUDFLARED_URL: Final = r"https://(?!api\.)[a-z0-9-]+\.trycloudflare\.com(?![\w-]|\.\w)"
"""The public URL, as cloudflared prints it, some 8 to 25 s before its DNS record exists; in errors it names its own `api`."""
