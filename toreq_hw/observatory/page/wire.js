// The socket: commands go out as JSON, frames come in as a header and 8-bit planes.

const LONGEST_WAIT_MS = 5000;

export class Wire {
  // hear: takes each frame's header and planes. tell: takes a line about the connection, or "".
  constructor(hear, tell) {
    this.hear = hear;
    this.tell = tell;
    this.wait = 500;
    this.open();
  }

  open() {
    const address = new URL("socket", location.href);
    address.protocol = "ws:";
    this.socket = new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.opened = false;
    this.socket.onopen = () => { this.opened = true; this.wait = 500; this.tell(""); };
    this.socket.onmessage = (message) => this.take(message.data);
    this.socket.onclose = (event) => this.lose(event);
  }

  async lose(event) {
    if (!this.opened && await unknown()) {
      this.tell("The server was started anew and has another address: open the one that it says.");
      return;
    }
    const why = event.reason ? ` (${event.reason})` : "";
    this.tell(`The connection to the server is lost${why}. Trying again; a new session will begin.`);
    setTimeout(() => this.open(), this.wait);
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT_MS);
  }

  take(data) {
    const { header, planes } = unpacked(data);
    requestAnimationFrame(() => {
      try {
        this.hear(header, planes);
      } finally {
        this.send({ do: "seen", number: header.number });
      }
    });
  }

  // Whether there is a server that hears it.
  send(command) {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(command));
    return true;
  }
}

// Whether there is a server, but not for this address.
async function unknown() {
  try {
    return (await fetch(location.href, { cache: "no-store" })).status === 404;
  } catch {
    return false;
  }
}

export function unpacked(data) {
  const length = new DataView(data).getUint32(0, true);
  const text = new TextDecoder().decode(new Uint8Array(data, 4, length));
  return { header: JSON.parse(text), planes: new Uint8Array(data, 4 + length) };
}
