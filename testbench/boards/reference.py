"""What docs/link.md says that a board answers: a model of the protocol, request by request."""

from dataclasses import dataclass, field

from toreq_hw.boards.link.protocol import Code, Frame, ImageFlag, Request, State, load_check
from toreq_hw.boards.link.wire_format import row_bytes, row_counts
from toreq_hw.rtl.parameters import CoreParameters

NUDGE_POSITIVE, NUDGE_NEGATIVE = 1, 2
_BARE = (Request.IDENTIFY, Request.STATUS, Request.RESET, Request.BEGIN)
_HIGH_FLAGS = 0xF0


@dataclass
class Reference:
    """A board's state, as far as answers depend on it.

    image: the values of the image that is under way, None for none. ran: the values of the last
    image that ended well, whose phase a nudge may follow; follows: the nudge that may come next.
    rows: those of the load under way, None once it is broken. loaded: all rows of the network that
    runs, with their spaces. core: idle, or in the middle of a refused image.
    """

    parameters: CoreParameters
    sequence: int = 0
    loading: bool = False
    rows: list[tuple[int, bytes]] | None = None
    sent: bytes = b""
    loaded: list[tuple[int, bytes]] | None = None
    image: dict[int, int] | None = None
    next_index: int = 0
    reports: bool = False
    follows: int = 0
    stranded: bool = False
    faults: bool = False
    ran: dict[int, int] = field(default_factory=dict)

    def answer(self, frame: Frame) -> Code:
        """What becomes of a request that the board takes; changes the state with it."""
        repeated = frame.sequence == self.sequence
        self.sequence = frame.sequence
        begins = frame.type == Request.IMAGE and bool(frame.payload[:1]) and frame.payload[0] & 1
        if frame.type > Request.NUDGE:
            return Code.UNKNOWN
        if frame.type in _BARE and frame.payload:
            return Code.LENGTH
        if frame.type == Request.RESET:
            self._reset()
        if frame.type in (Request.IDENTIFY, Request.STATUS, Request.RESET):
            return Code.OK
        if repeated and not begins:
            return Code.REPEATED
        handlers = {
            Request.BEGIN: self._begin,
            Request.WORDS: self._words,
            Request.COMMIT: self._commit,
            Request.IMAGE: self._image,
            Request.NUDGE: self._nudge,
        }
        return handlers[Request(frame.type)](frame.payload)

    def interrupt(self) -> None:
        """An IDENTIFY or RESET ended what the board was working on."""
        self._reset()
        self.loading = False

    def state(self) -> State:
        """The high half of a status byte, but for the faults of the core."""
        state = State(0)
        for flag, holds in (
            (State.LOADED, self.loaded is not None),
            (State.LOADING, self.loading),
            (State.OPEN, self.image is not None),
            (State.FAULTS, self.faults),
        ):
            state |= flag if holds else State(0)
        return state

    def _reset(self) -> None:
        self.image, self.follows, self.stranded, self.faults = None, 0, False, False

    def _begin(self, _: bytes) -> Code:
        self._reset()
        self.loading, self.rows, self.sent, self.loaded = True, [], b"", None
        return Code.OK

    def _words(self, payload: bytes) -> Code:
        if not self.loading:
            return Code.UNLOADED
        self.sent += payload
        code = self._take_rows(payload)
        if code is not Code.OK:
            self.rows = None
        return code

    def _take_rows(self, payload: bytes) -> Code:
        if len(payload) < 4:
            return Code.LENGTH
        place = self._next()
        if place is None or payload[:4] != bytes([place[0]]) + place[1].to_bytes(3, "big"):
            return Code.ORDER
        left = payload[4:]
        if not left:
            return Code.LENGTH
        good = True
        while left:
            if place is None or place[0] != payload[0]:
                return Code.ORDER
            size = row_bytes(self.parameters)[place[0]]
            if len(left) < size:
                return Code.LENGTH
            if not self._is_row(place[0], left[:size]):
                good, self.faults = False, True
            assert self.rows is not None
            self.rows.append((place[0], left[:size]))
            left, place = left[size:], self._next()
        return Code.OK if good else Code.REFUSED

    def _next(self) -> tuple[int, int] | None:
        """Space and address of the row that must come; None behind the last, or where broken."""
        if self.rows is None:
            return None
        done = len(self.rows)
        for space, count in row_counts(self.parameters).items():
            if done < count:
                return space, done
            done -= count
        return None

    def _is_row(self, space: int, row: bytes) -> bool:
        if space >= len(self.parameters.stores):
            return True
        width, number = self.parameters.stores[space].width, int.from_bytes(row, "big")
        fields = [number >> k * width & ((1 << width) - 1) for k in range(self.parameters.lanes)]
        return 1 << (width - 1) not in fields

    def _commit(self, payload: bytes) -> Code:
        if not self.loading:
            return Code.UNLOADED
        if len(payload) < 4:
            self.rows = None
            return Code.LENGTH
        self.loading = False
        if len(payload) > 4:
            return Code.LENGTH
        whole = self.rows is not None and self._next() is None
        if not whole or load_check(self.sent) != int.from_bytes(payload, "big"):
            return Code.CHECK
        self.loaded = self.rows
        return Code.OK

    def _image(self, payload: bytes) -> Code:
        flags = ImageFlag(payload[0] & ~_HIGH_FLAGS) if payload else ImageFlag(0)
        if self.loaded is None:
            return Code.UNLOADED
        if ImageFlag.FIRST in flags:
            self._reset()
        elif self.image is None:
            return Code.ORDER
        code = self._take_values(payload, flags)
        if code is not Code.OK:
            self.image = None
        return code

    def _take_values(self, payload: bytes, flags: ImageFlag) -> Code:
        if len(payload) < 3:
            self.stranded |= self.image is not None
            return Code.LENGTH
        if payload[0] & _HIGH_FLAGS:
            self.stranded |= self.image is not None
            return Code.REFUSED
        if ImageFlag.FIRST in flags:
            self.stranded = True  # until it ends well
            if payload[1:3] == b"\0\0":
                self.faults = True
                return Code.REFUSED
            self.image, self.next_index = {}, 0
            self.reports = ImageFlag.REPORT in flags
        size = 3 if ImageFlag.SPARSE in flags else 1
        values = payload[3:]
        for k in range(len(values) // size):
            self._take_value(values[k * size : (k + 1) * size])
        if not values or len(values) % size:
            return Code.LENGTH
        if self.faults:
            return Code.REFUSED
        if ImageFlag.LAST in flags:
            assert self.image is not None
            self.ran, self.image, self.follows, self.stranded = (
                self.image,
                None,
                NUDGE_POSITIVE,
                False,
            )
        return Code.OK

    def _take_value(self, item: bytes) -> None:
        placement = self.parameters.input
        sparse = len(item) > 1
        index = int.from_bytes(item[:2], "big") if sparse else self.next_index
        value = item[-1]
        fits = self.next_index <= index < placement.size
        if not fits or value > placement.state_max:
            self.faults = True
        if fits:
            self.next_index = index + 1
            assert self.image is not None
            self.image[index] = value

    def _nudge(self, payload: bytes) -> Code:
        if self.loaded is None:
            return Code.UNLOADED
        if self.image is not None:
            return Code.ORDER
        flags = payload[0] & _HIGH_FLAGS if payload else 0
        if len(payload) < 3 or (len(payload) > 3 and not flags):
            return Code.LENGTH
        if flags or self.stranded:
            return Code.REFUSED
        command, label = payload[0] & 7, int.from_bytes(payload[1:3], "big")
        fits = command in (NUDGE_POSITIVE, NUDGE_NEGATIVE) and command == self.follows
        if not fits or label >= self.parameters.classes:
            self.faults = True
            return Code.REFUSED
        self.reports = bool(payload[0] & ImageFlag.REPORT)
        self.follows = NUDGE_NEGATIVE if command == NUDGE_POSITIVE else 0
        return Code.OK
