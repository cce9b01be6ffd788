# SPDX-License-Identifier: BSD-2-Clause
"""Terns that are broken on purpose: other cases, run with a tern that does what none may, have to
say so. Each is a script in tern's place, which goes on to the real one or comes from it."""
import os

import cases_addresses
import cases_certificates
import cases_losses
import cases_pages
import cases_silence
import cases_wires
import world
from case import case
from peers import HERE, PYTHON
from world import TERN_IP, hold

BEGIN = f"""#!{PYTHON}
import os, socket, subprocess, sys
arguments = [{world.TERN!r}] + sys.argv[1:]
def real(**options):
    return subprocess.call(arguments, **options)
def go_on():
    os.execv(arguments[0], arguments)
def spoil(flag, page):
    # one bit, where the file after the flag holds a piece of the page
    with open(arguments[arguments.index(flag) + 1], "r+b") as out, open(page, "rb") as whole:
        data, text = out.read(), whole.read()
        places = (data.find(text[i:i + 16]) for i in range(0, len(text), 1000))
        at = next(place for place in places if place >= 0)
        out.seek(at)
        out.write(bytes([data[at] ^ 1]))
"""


def broken(what, function, script, words, programs=("tshark",)):
    """A control: a case's function with this tern has to fail, with these words."""
    @case(f"control: {what}", programs=programs)
    def control(lab):
        world.TERN = lab.write("broken/tern", BEGIN + script)
        os.chmod(world.TERN, 0o755)
        try:
            function(lab)
        except world.Failed as why:
            hold(f"'{words}' is what was wrong", words in str(why), str(why))
        else:
            raise world.Failed("nobody noticed")


broken("a tern that takes any certificate", cases_certificates.expired,
       "arguments.append('-k')\ngo_on()", "exit: 0, not 60")

broken("a tern that leaves a file where the certificate is bad", cases_certificates.self_signed,
       "code = real()\nopen('f', 'w').close()\nsys.exit(code)", "nothing written")

broken("a tern that gets one bit wrong", cases_pages.python_http,
       "code = real()\nspoil('-o', 'www/3M.bin')\nsys.exit(code)", "sha256 of")

broken("a tern of whose runs one fails", cases_pages.two_hundred,
       "open('runs', 'a').write('x')\n"
       "sys.exit(56) if os.path.getsize('runs') == 20 else go_on()", "tern get")

broken("a tern that loses no frames though it should", cases_losses.upload_in,
       "if '--impair' in arguments:\n"
       "    arguments[arguments.index('--impair') + 1] = 'drop 100000'\n"
       "go_on()", "what was lost was said again")

broken("a tern that makes an internet socket", cases_wires.no_sockets,
       "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()\ngo_on()",
       "internet sockets", programs=("strace",))

broken("a tern that bends a packet of its capture", cases_wires.own_capture,
       "code = real()\nspoil('--pcap', 'www/1M.bin')\nsys.exit(code)", "no bad checksums")

broken("a tern beside which the kernel resets", cases_silence.own_mac,
       "socket.socket().connect_ex(('127.0.0.1', 1))\ngo_on()", "TcpOutRsts")

broken("a tern that announces before it asks", cases_addresses.in_use,
       f"subprocess.call([sys.executable, {os.path.join(HERE, 'peer_arp.py')!r}, 'claim', 'vA', "
       f"'{TERN_IP}', '02:00:00:00:00:77'])\ngo_on()",
       "nothing announced")

broken("a tern that has the host's MAC and should have its own", cases_addresses.own_address,
       "arguments += ['--mac', 'host']\ngo_on()", "not with the host's MAC")

broken("a tern that knocks twice at a closed door", cases_wires.refused,
       "real(stderr=subprocess.DEVNULL)\ngo_on()", "SYNs: 2, not 1")

broken("a tern that answers for its address after its end", cases_addresses.own_address,
       f"code = real()\nsubprocess.call(['ip', 'address', 'add', '{TERN_IP}/24', 'dev', 'vA'])\n"
       "sys.exit(code)", "after: nobody answers")
