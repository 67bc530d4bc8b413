"""The core: a network file becomes a synthesizable event-driven relaxation core (docs/rtl.md)."""
