#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""ARP by hand:

    peer_arp.py answer INTERFACE ADDRESS      says that the address is here, until killed
    peer_arp.py claim INTERFACE ADDRESS MAC   announces it once, from this MAC
    peer_arp.py ask INTERFACE ADDRESS         who has it? prints the MAC, or nothing
"""
import fcntl
import socket
import struct
import sys

BROADCAST = b"\xff" * 6


def arp(operation, mac, sender, target_mac, target):
    return struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + mac + sender + target_mac + target


def interface_mac(sock, name):
    return fcntl.ioctl(sock, 0x8927, struct.pack("256s", name.encode()))[18:24]


def main():
    verb, name, address = sys.argv[1:4]
    address = socket.inet_aton(address)
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
    sock.bind((name, 0x0806))
    mac = interface_mac(sock, name)
    ours = b"\x00" * 4
    if verb == "claim":
        mac = bytes.fromhex(sys.argv[4].replace(":", ""))
        sock.send(BROADCAST + mac + b"\x08\x06" + arp(1, mac, address, b"\x00" * 6, address))
        return
    if verb == "ask":
        sock.send(BROADCAST + mac + b"\x08\x06" + arp(1, mac, ours, b"\x00" * 6, address))
        sock.settimeout(1.0)
    print("ready", flush=True)
    while True:
        try:
            frame = sock.recv(2048)
        except TimeoutError:
            return
        operation = struct.unpack("!H", frame[20:22])[0]
        if verb == "ask" and operation == 2 and frame[28:32] == address:
            print(frame[22:28].hex(":"))
            return
        if verb == "answer" and operation == 1 and frame[38:42] == address and \
                frame[28:32] != ours:
            sock.send(frame[6:12] + mac + b"\x08\x06" +
                      arp(2, mac, address, frame[22:28], frame[28:32]))


main()
