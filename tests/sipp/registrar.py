"""A carrier's registrar that asks for SHA-256 (RFC 8760) and checks with hashlib: a REGISTER, its refresh, the good-bye.

Prints `registered`, `refreshed` and `gone`, one a line, and ends. usage: registrar.py PORT USER PASSWORD
"""
import hashlib
import re
import socket
import sys

port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
REALM, NONCE = "carrier.example", "a, \\\"nonce\\\""


def h(text):
    return hashlib.sha256(text.encode()).hexdigest()


def header(message, name):
    found = re.search(rf"^{name}:\s*(.*?)\r$", message, re.M | re.I)
    return found.group(1) if found else ""


def is_right(message):
    value = header(message, "Authorization")
    given = {name.lower(): quoted or plain
             for name, quoted, plain in re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^",\s]+))', value)}
    given = {name: re.sub(r"\\(.)", r"\1", text) for name, text in given.items()}
    nonce = re.sub(r"\\(.)", r"\1", NONCE)
    if given.get("algorithm") != "SHA-256" or given.get("nonce") != nonce or given.get("realm") != REALM:
        return False
    ha1, ha2 = h(f"{user}:{REALM}:{password}"), h(f"REGISTER:{given['uri']}")
    expected = h(f"{ha1}:{nonce}:{given['nc']}:{given['cnonce']}:auth:{ha2}")
    counts.append(int(given["nc"], 16))
    return given["response"] == expected and given["username"] == user and counts == sorted(set(counts))


counts = []
seen = set()
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", port))
sock.settimeout(60)
for _ in range(100):
    data, peer = sock.recvfrom(65535)
    message = data.decode()
    if not message.startswith("REGISTER sip:"):
        continue
    extra, word = "", None
    if not header(message, "Authorization"):
        status = "401 Unauthorized"
        extra = (f'WWW-Authenticate: Digest realm="{REALM}", nonce="{NONCE}", algorithm=SHA-512, qop="auth"\r\n'
                 f'WWW-Authenticate: Digest realm="{REALM}", nonce="{NONCE}", algorithm=MD5, qop="auth"\r\n'
                 f'WWW-Authenticate: Digest realm="{REALM}", nonce="{NONCE}", algorithm=SHA-256, qop="auth-int,auth"\r\n')
    elif header(message, "CSeq") in seen:
        continue
    elif is_right(message):
        seen.add(header(message, "CSeq"))
        status = "200 OK"
        if header(message, "Expires") == "0":
            word = "gone"
        else:
            extra = header(message, "Contact").join(["Contact: ", ";expires=6\r\n"])
            word = "refreshed" if len(seen) > 1 else "registered"
    else:
        status, word = "403 Forbidden", "wrong"
    lines = [f"{name}: {header(message, name)}" for name in ("Via", "From", "Call-ID", "CSeq")]
    answer = "\r\n".join([f"SIP/2.0 {status}", *lines, f"To: {header(message, 'To')};tag=r"]) + f"\r\n{extra}Content-Length: 0\r\n\r\n"
    sock.sendto(answer.encode(), peer)
    if word:
        print(word, flush=True)
    if word in ("gone", "wrong"):
        sys.exit(word == "wrong")
sys.exit(1)
