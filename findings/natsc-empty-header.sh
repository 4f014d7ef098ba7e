#!/usr/bin/env bash
# nats.c 3.4.1 (Debian libnats3.4 3.4.1-1), nats-server 2.9.10
#
# A header of NATS may have an empty value. nats.c writes it as "note: " and a line end. When it reads that back, it skips the white
# space before the value across the line end: the next line becomes the value, and its own header is gone. If the empty value is in
# the last line, the first question about any header is a protocol error, and then the message has no headers.
#
# Output seen:
#   the empty note is written first: label is 'Not Found', note is 'label: 7'
#   the empty note is written last: label is 'Protocol Error', note is 'Not Found'
#   without an empty value: label is '7', note is 'x'
set -euo pipefail
command -v apt-get >/dev/null || { echo "Debian 12 is required" >&2; exit 69; }
folder=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq -o APT::Sandbox::User=root libnats3.4=3.4.1-1+b1 libprotobuf-c1 nats-server=2.9.10-1+b3 >/dev/null
for package in *.deb; do dpkg -x "$package" root; done

cat > show.py <<'PYTHON'
import ctypes
import sys
import time

library, url = ctypes.CDLL(sys.argv[1]), sys.argv[2].encode()
library.natsStatus_GetText.restype = ctypes.c_char_p


def pointer():
    return ctypes.c_void_p()


connection, subscription = pointer(), pointer()
for _ in range(50):
    if library.natsConnection_ConnectTo(ctypes.byref(connection), url) == 0:
        break
    time.sleep(0.1)
assert library.natsConnection_SubscribeSync(ctypes.byref(subscription), connection, b"s") == 0


def read_back(headers):
    message, received = pointer(), pointer()
    assert library.natsMsg_Create(ctypes.byref(message), b"s", None, b"body", 4) == 0
    for name, value in headers:
        assert library.natsMsgHeader_Set(message, name, value) == 0
    assert library.natsConnection_PublishMsg(connection, message) == 0
    assert library.natsSubscription_NextMsg(ctypes.byref(received), subscription, ctypes.c_int64(5000)) == 0
    answers = {}
    for name in [b"label", b"note"]:
        value = ctypes.c_char_p()
        status = library.natsMsgHeader_Get(received, name, ctypes.byref(value))
        answers[name] = library.natsStatus_GetText(status).decode() if status else value.value.decode()
    return answers[b"label"], answers[b"note"]


seen = [
    ("the empty note is written first", read_back([(b"label", b"7"), (b"note", b"")])),
    ("the empty note is written last", read_back([(b"note", b""), (b"label", b"7")])),
    ("without an empty value", read_back([(b"label", b"7"), (b"note", b"x")])),
]
for words, (label, note) in seen:
    print(f"{words}: label is {label!r}, note is {note!r}")
expected = [("Not Found", "label: 7"), ("Protocol Error", "Not Found"), ("7", "x")]
sys.exit(0 if [answer for _, answer in seen] == expected else 1)
PYTHON

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
root/usr/sbin/nats-server -a 127.0.0.1 -p "$port" >server.log 2>&1 &
server=$!
LD_LIBRARY_PATH=$(dirname "$(find root -name libprotobuf-c.so.1 | head -1)") \
  python3 show.py "$(find root -name 'libnats.so.3.4' | head -1)" "nats://127.0.0.1:$port" \
  || { echo "the behaviour has changed" >&2; exit 1; }
