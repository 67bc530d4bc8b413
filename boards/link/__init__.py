"""The link: frames over a UART, in gateware and in Python. docs/link.md has the protocol."""
