"""ProxyStaff: a member of staff for a realtor, living in WhatsApp or Telegram."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("proxystaff")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0.1.0"
