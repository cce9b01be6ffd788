# SPDX-License-Identifier: BSD-2-Clause
"""What segments, ARP and traces say, judged from lists alone, so that lists made up on purpose can
try the judges (judges_test.py). A segment is a dict as wire.segments() reads it."""
from world import SERVER, TERN_IP, equal, hold


def beyond(start, number):
    """How far a sequence number is beyond another, across 2^32."""
    return (number - start) % 2**32


def opened(seen):
    """SYN, SYN-ACK, ACK, each with the number that follows from the others."""
    hold("three segments", len(seen) >= 3, str(len(seen)))
    syn, synack, ack = seen[:3]
    equal("flags", [s["flags"] for s in (syn, synack, ack)], ["S", "SA", "A"])
    equal("from", [s["src"] for s in (syn, synack, ack)], [TERN_IP, SERVER, TERN_IP])
    equal("the server's ACK", beyond(syn["seq_raw"], synack["ack_raw"]), 1)
    equal("our sequence number", beyond(syn["seq_raw"], ack["seq_raw"]), 1)
    equal("our ACK", beyond(synack["seq_raw"], ack["ack_raw"]), 1)
    equal("SYN's ACK field", syn["ack_raw"], 0)


def numbered(seen, sizes):
    """The server's segments of these sizes follow upon each other, and we said of each what comes
    next, in this order."""
    body = [s for s in seen if s["src"] == SERVER and s["len"] in sizes]
    equal("segments", [s["len"] for s in body], list(sizes))
    first = body[0]["seq_raw"]
    ends = [sum(sizes[:i + 1]) for i in range(len(sizes))]
    equal("their numbers", [beyond(first, s["seq_raw"]) for s in body], [0] + ends[:-1])
    acks = [beyond(first, s["ack_raw"]) for s in seen
            if s["src"] == TERN_IP and s["time"] > body[0]["time"]]
    equal("what we said comes next", [a for a in acks if a in ends][:len(ends)], ends)


def knocked(syns, gaps):
    """One SYN, said again after so many seconds each."""
    equal("SYNs", len(syns), len(gaps) + 1)
    equal("different sequence numbers", len({s["seq_raw"] for s in syns}), 1)
    took = [round(b["time"] - a["time"], 1) for a, b in zip(syns, syns[1:])]
    for gap, wanted in zip(took, gaps):
        hold(f"gaps of {gaps} s", abs(gap - wanted) < 0.4, str(took))


def closed(seen, ours, theirs):
    """Each side's FIN was seen, and the other side's ACK of it."""
    for here, there in ((ours, theirs), (theirs, ours)):
        fins = [s for s in seen if s["src"] == here and "F" in s["flags"]]
        hold(f"a FIN from {here}", fins)
        wanted = (fins[0]["seq_raw"] + fins[0]["len"] + 1) % 2**32
        acks = [s for s in seen if s["src"] == there and s["dstport"] == fins[0]["srcport"]
                and "A" in s["flags"] and s["ack_raw"] == wanted]
        hold(f"the FIN of {here} was acknowledged", acks)


def told(seen):
    """We said on the wire that it is over."""
    hold("FIN or RST from us on the wire",
         any(s["src"] == TERN_IP and set("FR") & set(s["flags"]) for s in seen))


def said_again(seen, source):
    """What one side sent a second time, which must be the bytes of the first: how many bytes."""
    first, again = {}, 0
    for s in (s for s in seen if s["src"] == source and s["len"]):
        for i in range(s["len"]):
            at = (s["srcport"], s["dstport"], (s["seq_raw"] + i) % 2**32)
            byte = s["payload"][2 * i:2 * i + 2]
            if at in first:
                again += 1
                equal(f"the byte sent again at {at[2]}", byte, first[at])
            first[at] = byte
    return again


def told_why(seen):
    """Each segment in which we repeat bytes says what noticed that they are missing, and one that
    does not repeat any does not say so (but a tail loss probe, which may be of new bytes): what
    was said."""
    sent, said = set(), []
    for s in (s for s in seen if s["src"] == TERN_IP and s["len"]):
        numbers = {(s["srcport"], (s["seq_raw"] + i) % 2**32) for i in range(s["len"])}
        probe = s["comment"].startswith("tail loss probe: ")
        again = s["comment"].startswith("retransmission: ") or (probe and bool(numbers & sent))
        equal(f"does {s['comment']!r} repeat bytes", bool(numbers & sent), again)
        said += [s["comment"]] if again else []
        sent |= numbers
    return said


def longest_flight(seen):
    """The most bytes that the server had sent and we had not yet acknowledged."""
    first, sent, acked, most = {}, {}, {}, 0
    for s in seen:
        if s["src"] == SERVER:
            port, at = s["dstport"], s["seq_raw"] + s["len"]
            first.setdefault(port, s["seq_raw"])
            sent[port] = max(sent.get(port, 0), beyond(first[port], at))
            most = max(most, sent[port] - acked.get(port, 0))
        elif s["srcport"] in first and "A" in s["flags"]:
            acked[s["srcport"]] = beyond(first[s["srcport"]], s["ack_raw"])
    return most


def longest_silence(seen):
    """The longest that a data segment waited for an ACK that covers it, in seconds."""
    waiting, longest = [], 0.0
    for s in seen:
        if s["src"] == SERVER and s["len"]:
            waiting.append((s["seq_raw"] + s["len"], s["time"]))
        elif s["src"] == TERN_IP:
            while waiting and beyond(waiting[0][0], s["ack_raw"]) < 2**31:
                longest = max(longest, s["time"] - waiting.pop(0)[1])
    return max([longest] + [seen[-1]["time"] - since for _, since in waiting])


def only_tails_again(seen):
    """What the server sent again was each time the last that it had sent, and not yet acknowledged:
    a probe of whether we are there, and never a loss that an ACK of ours told of. How many."""
    sent, acked, again = {}, {}, 0
    for s in seen:
        if s["src"] == SERVER and s["len"]:
            port, end = s["dstport"], s["seq_raw"] + s["len"]
            top = sent.setdefault(port, s["seq_raw"])
            if 0 < beyond(s["seq_raw"], top) < 2**31:
                again += 1
                hold("what goes again is the tail", end % 2**32 == top % 2**32, str(s))
                hold("and nobody acknowledged it", acked.get(port) != top % 2**32, str(s))
            else:
                sent[port] = end
        elif s["src"] == TERN_IP and "A" in s["flags"]:
            acked[s["srcport"]] = s["ack_raw"]
    return again


def window_breathed(seen):
    """The window that we advertise closed, and opened again: the most before, the least, the most
    after it."""
    windows = [s["window_size_value"] for s in seen
               if s["src"] == TERN_IP and not set("SF") & set(s["flags"])]
    least = windows.index(min(windows))
    before, after = max(windows[:least + 1]), max(windows[least:])
    hold("the window closed", windows[least] * 20 < max(windows), str(windows[least]))
    hold("and opened", after > 2 * windows[least] + 10, str(after))
    return before, windows[least], after


def claimed(probes, announcements, spoken, mac):
    """An address was asked for three times (RFC 5227 §2.1.1), then announced (§2.3), and only then
    spoken from. Each is a list of packets."""
    equal("probes", len(probes), 3)
    asked = max(float(p["frame.time_epoch"]) for p in probes)
    hold("announcements", announcements)
    hold("the probes came first",
         asked < min(float(a["frame.time_epoch"]) for a in announcements))
    equal("all from our MAC", {a["arp.src.hw_mac"] for a in probes + announcements}, {mac})
    hold("something was said from it", spoken)
    hold("nothing was said from the address before it was ours",
         min(float(p["frame.time_epoch"]) for p in spoken) > asked)


def left_alone(frames, owners):
    """Of the frames that speak from an address, none is from another MAC than its owners'."""
    hold("nothing announced, nothing sent", {f["eth.src"] for f in frames} <= set(owners),
         str(frames[:3]))


def internet_sockets(trace):
    """The lines of a trace by strace that make an AF_INET or AF_INET6 socket."""
    return [line for line in trace if "socket(" in line and "AF_INET" in line]
