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
    return subprocess.run(arguments, check=False, **options).returncode
def spoil(flag, at):
    with open(arguments[arguments.index(flag) + 1], "r+b") as out:
        out.seek(int(at * os.fstat(out.fileno()).st_size))
        byte = out.read(1)
        out.seek(-1, os.SEEK_CUR)
        out.write(bytes([byte[0] ^ 1]))
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
       "sys.exit(subprocess.call(arguments + ['-k']))", "exit: 0, not 60")

broken("a tern that leaves a file where the certificate is bad", cases_certificates.self_signed,
       "code = real()\nopen('f', 'w').close()\nsys.exit(code)", "nothing written")

broken("a tern that gets one bit wrong", cases_pages.chunked,
       "code = real()\nspoil('-o', 0.5)\nsys.exit(code)", "sha256 of")

broken("a tern of whose runs one fails", cases_pages.two_hundred,
       "open('runs', 'a').write('x')\n"
       "sys.exit(56 if os.path.getsize('runs') == 20 else real())", "tern get")

broken("a tern that loses no frames though it should", cases_losses.upload_in,
       "if '--impair' in arguments:\n"
       "    arguments[arguments.index('--impair') + 1] = 'drop 100000'\n"
       "sys.exit(real())", "what was lost was said again")

broken("a tern that makes an internet socket", cases_wires.no_sockets,
       "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()\nsys.exit(real())",
       "internet sockets", programs=("strace",))

broken("a tern that bends a packet of its capture", cases_wires.own_capture,
       "code = real()\nspoil('--pcap', 0.5)\nsys.exit(code)", "no bad checksums")

broken("a tern beside which the kernel resets", cases_silence.own_mac,
       "socket.socket().connect_ex(('127.0.0.1', 1))\nsys.exit(real())", "TcpOutRsts")

broken("a tern that announces before it asks", cases_addresses.in_use,
       f"subprocess.call([sys.executable, {os.path.join(HERE, 'peer_arp.py')!r}, 'claim', 'vA', "
       f"'{TERN_IP}', '02:00:00:00:00:77'])\nsys.exit(real())",
       "nothing announced")

broken("a tern that answers for its address after its end", cases_addresses.own_address,
       f"code = real()\nsubprocess.call(['ip', 'address', 'add', '{TERN_IP}/24', 'dev', 'vA'])\n"
       "sys.exit(code)", "after: nobody answers")
