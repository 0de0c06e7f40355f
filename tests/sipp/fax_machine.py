"""A fax machine at the end of a carrier: takes calls by SIP, and pages by sound or T.38 through libspandsp2.

usage: fax_machine.py PORT DIRECTORY SEED WAY...     one WAY for each call, in order:
    busy     486
    voice    answers with a tone that is no machine's, and hangs up after a while, as people do
    t38      takes the T.38 that it is offered, and loses 2 % of the packets either way
    asks     proposes T.38 itself
    sound    refuses T.38 (488)
    cut      takes T.38, and hangs up in the midst of the page
Writes the pages of call N to DIRECTORY/N.tif. Prints what happens, one word or two a line, and ends when a last call is over.
The UDPTL here is its own, not Cordboard's.
"""
import ctypes
import math
import random
import re
import select
import socket
import struct
import sys
import time

port, directory, seed, ways = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:]
LOSS = 0.02
lib = ctypes.CDLL("libspandsp.so.2")
chance = random.Random(seed)

P, INT = ctypes.c_void_p, ctypes.c_int
TX_PACKET = ctypes.CFUNCTYPE(INT, P, P, ctypes.POINTER(ctypes.c_uint8), INT, INT)
PHASE = ctypes.CFUNCTYPE(INT, P, P, INT)
PHASE_E = ctypes.CFUNCTYPE(None, P, P, INT)
for name, result, arguments in [
    ("t38_terminal_init", P, [P, INT, TX_PACKET, P]),
    ("t38_terminal_get_t30_state", P, [P]),
    ("t38_terminal_get_t38_core_state", P, [P]),
    ("t38_terminal_send_timeout", INT, [P, INT]),
    ("t38_core_rx_ifp_packet", INT, [P, ctypes.c_char_p, INT, ctypes.c_uint16]),
    ("fax_init", P, [P, INT]),
    ("fax_get_t30_state", P, [P]),
    ("fax_rx", INT, [P, P, INT]),
    ("fax_tx", INT, [P, P, INT]),
    ("t30_set_rx_file", None, [P, ctypes.c_char_p, INT]),
    ("t30_set_rx_encoding", INT, [P, INT]),
    ("t30_set_tx_ident", INT, [P, ctypes.c_char_p]),
    ("t30_set_ecm_capability", INT, [P, INT]),
    ("t30_set_supported_modems", INT, [P, INT]),
    ("t30_set_supported_compressions", INT, [P, INT]),
    ("t30_set_supported_resolutions", INT, [P, INT]),
    ("t30_set_supported_image_sizes", INT, [P, INT]),
    ("t30_set_phase_b_handler", None, [P, PHASE, P]),
    ("t30_set_phase_d_handler", None, [P, PHASE, P]),
    ("t30_set_phase_e_handler", None, [P, PHASE_E, P]),
    ("t30_get_rx_ident", ctypes.c_char_p, [P]),
]:
    function = getattr(lib, name)
    function.restype, function.argtypes = result, arguments


def of_ulaw(byte):
    byte = ~byte & 0xFF
    size = (((byte & 0x0F) << 3) + 0x84 << (byte >> 4 & 7)) - 0x84
    return -size if byte & 0x80 else size


def to_ulaw(sample):
    sign, size = (0x80, -sample) if sample < 0 else (0, sample)
    size = min(size, 32635) + 0x84
    place = size.bit_length() - 8
    return ~(sign | place << 4 | size >> place + 3 & 0x0F) & 0xFF


FROM_ULAW = [of_ulaw(byte) for byte in range(256)]
TO_ULAW = bytes(to_ulaw(sample if sample < 32768 else sample - 65536) for sample in range(65536))


def say(*words):
    print(*words, flush=True)


def header(message, name):
    found = re.search(rf"^{name}:\s*(.*?)\r$", message, re.M | re.I)
    return found.group(1) if found else ""


class Udptl:
    """T.38 §9.1 with redundancy, as the standard draws it."""

    def __init__(self):
        self.sequence, self.sent, self.wanted = 0, [], None

    def pack(self, ifp):
        parts = [struct.pack("!H", self.sequence), self.length(len(ifp)), ifp, b"\0", bytes([len(self.sent)])]
        for earlier in self.sent:
            parts += [self.length(len(earlier)), earlier]
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.sent = ([ifp] + self.sent)[:3]
        return b"".join(parts)

    @staticmethod
    def length(n):
        return bytes([n]) if n < 128 else struct.pack("!H", 0x8000 | n)

    def unpack(self, data):
        def field(at):
            n, at = data[at], at + 1
            if n & 0x80:
                n, at = (n & 0x3F) << 8 | data[at], at + 1
            return data[at:at + n], at + n

        sequence = struct.unpack("!H", data[:2])[0]
        primary, at = field(2)
        earlier = []
        if data[at] == 0:
            count, at = data[at + 1], at + 2
            for _ in range(count):
                ifp, at = field(at)
                earlier.append(ifp)
        if self.wanted is None:
            self.wanted = sequence
        gap = (sequence - self.wanted) & 0xFFFF
        if gap >= 0x8000:
            return []
        self.wanted = (sequence + 1) & 0xFFFF
        missed = [((sequence - back) & 0xFFFF, ifp) for back, ifp in zip(range(1, gap + 1), earlier)]
        return missed[::-1] + [(sequence, primary)]


class Call:
    def __init__(self, number, way, invite, peer):
        self.number, self.way, self.peer = number, way, peer
        self.tag = f"m{number}"
        self.to, self.sender = header(invite, "To") + f";tag={self.tag}", header(invite, "From")
        self.call_id, self.cseq = header(invite, "Call-ID"), 100
        self.contact = re.search(r"<(.*?)>", header(invite, "Contact")).group(1)
        self.media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.media.bind(("127.0.0.1", 0))
        self.own_port = self.media.getsockname()[1]
        self.remote = self.target(invite)
        self.rtp, self.stamp, self.version = 1, 160, 1
        self.t38, self.fax, self.t30 = None, None, None
        self.udptl, self.keep = Udptl(), []
        self.phase_b_at, self.pages, self.up_at, self.over = None, 0, None, False
        self.tone_at, self.asked = 0, False

    @staticmethod
    def target(message):
        address = re.search(r"^c=IN IP4 (\S+)", message, re.M).group(1)
        return address, int(re.search(r"^m=\w+ (\d+)", message, re.M).group(1))

    def sdp(self, image):
        self.version += 1
        media = (f"m=image {self.own_port} udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\n"
                 "a=T38FaxRateManagement:transferredTCF\r\na=T38FaxMaxBuffer:400\r\na=T38FaxMaxDatagram:400\r\n"
                 "a=T38FaxUdpEC:t38UDPRedundancy\r\n") if image else (
            f"m=audio {self.own_port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\na=sendrecv\r\n")
        return f"v=0\r\no=m {self.number} {self.version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n{media}"

    def respond(self, request, status, body=""):
        lines = [f"SIP/2.0 {status}"]
        lines += [f"{name}: {header(request, name)}" for name in ("Via", "From", "Call-ID", "CSeq")]
        lines += [f"To: {self.to}", f"Contact: <sip:machine@127.0.0.1:{port}>"]
        lines += ["Content-Type: application/sdp"] if body else []
        sip.sendto("\r\n".join(lines + [f"Content-Length: {len(body)}", "", body]).encode(), self.peer)

    def request(self, method, body=""):
        self.cseq += 1
        lines = [f"{method} {self.contact} SIP/2.0",
                 f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{self.number}x{self.cseq}",
                 f"From: {self.to}", f"To: {self.sender}", f"Call-ID: {self.call_id}", f"CSeq: {self.cseq} {method}",
                 "Max-Forwards: 70", f"Contact: <sip:machine@127.0.0.1:{port}>"]
        lines += ["Content-Type: application/sdp"] if body else []
        sip.sendto("\r\n".join(lines + [f"Content-Length: {len(body)}", "", body]).encode(), self.peer)

    def prepare(self, t30):
        self.t30 = t30
        lib.t30_set_tx_ident(t30, b"+1 202 555 0133")
        lib.t30_set_rx_file(t30, f"{directory}/{self.number}.tif".encode(), -1)
        lib.t30_set_rx_encoding(t30, 3)
        lib.t30_set_ecm_capability(t30, 1)
        lib.t30_set_supported_modems(t30, 7)
        lib.t30_set_supported_compressions(t30, 0x0E)
        lib.t30_set_supported_resolutions(t30, 0x20003)
        lib.t30_set_supported_image_sizes(t30, 0xF0001)
        self.keep += [PHASE(self.phase_b), PHASE(self.phase_d), PHASE_E(self.phase_e)]
        lib.t30_set_phase_b_handler(t30, self.keep[-3], None)
        lib.t30_set_phase_d_handler(t30, self.keep[-2], None)
        lib.t30_set_phase_e_handler(t30, self.keep[-1], None)

    def phase_b(self, *_):
        self.phase_b_at = self.phase_b_at or time.monotonic()
        return 0

    def phase_d(self, t30, _, code):
        self.pages += 1
        say("page", self.pages)
        return 0

    def phase_e(self, t30, _, code):
        say("from", (lib.t30_get_rx_ident(t30) or b"").decode().strip())
        say("done", code)

    def start_sound(self):
        self.up_at = time.monotonic()
        if self.way != "voice":
            self.fax = lib.fax_init(None, 0)
            self.prepare(lib.fax_get_t30_state(self.fax))

    def start_t38(self, message):
        if self.t38:
            return
        self.remote, self.fax = self.target(message), None

        def send(_core, _user, data, length, count):
            datagram = self.udptl.pack(bytes(data[:length]))
            for _ in range(max(1, count)):
                if chance.random() >= LOSS:
                    self.media.sendto(datagram, self.remote)
            return 0

        self.keep.append(TX_PACKET(send))
        self.t38 = lib.t38_terminal_init(None, 0, self.keep[-1], None)
        self.prepare(lib.t38_terminal_get_t30_state(self.t38))
        say("t38")

    def beat(self):
        now = time.monotonic()
        if self.t38:
            lib.t38_terminal_send_timeout(self.t38, 160)
        elif self.up_at:
            frame = (ctypes.c_int16 * 160)()
            if self.fax:
                lib.fax_tx(self.fax, frame, 160)
            else:
                for n in range(160):
                    frame[n] = int(6000 * math.sin(2 * math.pi * 440 * (self.tone_at + n) / 8000))
                self.tone_at += 160
            packet = struct.pack("!BBHII", 0x80, 0, self.rtp & 0xFFFF, self.stamp, 7) + bytes(TO_ULAW[sample & 0xFFFF] for sample in frame)
            self.media.sendto(packet, self.remote)
            self.rtp, self.stamp = self.rtp + 1, self.stamp + 160
            if self.way == "asks" and not self.asked and now > self.up_at + 0.3:
                self.asked = True
                self.request("INVITE", self.sdp(image=True))
        cut = self.way == "cut" and self.phase_b_at and now > self.phase_b_at + 4
        bored = self.way == "voice" and self.up_at and now > self.up_at + 6
        if (cut or bored) and not self.over:
            say("cut after", self.pages)
            self.over = True
            self.request("BYE")

    def receive(self, data):
        if self.t38:
            # What comes by RTP still is of before.
            if len(data) > 52 and data[0] == 0x80:
                return
            if chance.random() >= LOSS:
                core = lib.t38_terminal_get_t38_core_state(self.t38)
                for sequence, ifp in self.udptl.unpack(data):
                    lib.t38_core_rx_ifp_packet(core, ifp, len(ifp), sequence)
        elif self.fax:
            sound = [FROM_ULAW[byte] for byte in data[12:]]
            lib.fax_rx(self.fax, (ctypes.c_int16 * len(sound))(*sound), len(sound))


sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sip.bind(("127.0.0.1", port))
say("ready")
call, calls, answered, ended = None, 0, {}, time.monotonic() + 180
next_beat = time.monotonic()
while time.monotonic() < ended:
    readable, _, _ = select.select([sip] + ([call.media] if call else []), [], [], max(0, next_beat - time.monotonic()))
    if call and call.media in readable:
        call.receive(call.media.recv(4096))
    if sip in readable:
        data, peer = sip.recvfrom(65535)
        message = data.decode()
        key = (header(message, "Call-ID"), header(message, "CSeq"))
        if message.startswith("SIP/2.0 "):
            if key[1].endswith("INVITE") and message.startswith("SIP/2.0 2") and call:
                ack = [f"ACK {call.contact} SIP/2.0", f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKack{call.cseq}",
                       f"From: {call.to}", f"To: {call.sender}", f"Call-ID: {call.call_id}", f"CSeq: {call.cseq} ACK",
                       "Max-Forwards: 70", "Content-Length: 0", "", ""]
                sip.sendto("\r\n".join(ack).encode(), call.peer)
                call.start_t38(message)
            elif key[1].endswith("BYE"):
                say("bye")
                call = None
        elif message.startswith("INVITE") and "tag=" not in header(message, "To"):
            if key not in answered:
                way = ways[calls] if calls < len(ways) else "busy"
                calls += 1
                call = Call(calls, way, message, peer)
                answered[key] = True
                say("call", way)
                call.respond(message, "100 Trying")
                if way == "busy":
                    call.respond(message, "486 Busy Here")
                    call = None
                else:
                    call.respond(message, "180 Ringing")
                    call.respond(message, "200 OK", call.sdp(image=False))
        elif message.startswith("INVITE") and call:
            if "m=image" in message and call.way != "sound":
                call.respond(message, "200 OK", call.sdp(image=True))
                call.start_t38(message)
            else:
                if key not in answered:
                    say("refused")
                answered[key] = True
                call.respond(message, "488 Not Acceptable Here")
        elif message.startswith("ACK"):
            if call and not call.up_at and not call.t38:
                call.start_sound()
        elif message.startswith(("BYE", "CANCEL")):
            lines = [f"{name}: {header(message, name)}" for name in ("Via", "From", "To", "Call-ID", "CSeq")]
            sip.sendto("\r\n".join(["SIP/2.0 200 OK", *lines, "Content-Length: 0", "", ""]).encode(), peer)
            if call:
                say("bye")
            call = None
        if call is None and calls >= len(ways):
            # The last word may have to be said again.
            ended = min(ended, time.monotonic() + 1)
    if time.monotonic() >= next_beat:
        next_beat += 0.02
        if call:
            call.beat()
