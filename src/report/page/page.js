"use strict";
(function () {
  const D = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const num = d3.format(",");
  const bytes = (v) => v === Math.round(v) ? d3.format("s")(v) : "";
  const KIND = {data: 0, again: 1, late: 2, ack: 3, sack: 4, probe: 5, rtt: 6, flag: 7, cwnd: 8};
  const LEGEND = [["data", "sent"], ["bad", "sent again"], ["warn", "late"], ["ink", "acknowledged"],
    ["window", "window's end"], ["sack", "SACK"], ["faint", "probe, SYN, FIN"]];
  const LISTED = 1000;
  const canvases = ["seq", "puzzle", "flight", "rtt"].map($);
  const X = d3.scale.linear();
  const zoom = d3.behavior.zoom().scaleExtent([1, 1e6]);
  let conn = null, side = 0, rows = [], at = -1, hover = null, pending = false, marks = [];

  function el(parent, tag, className, text) {
    const e = document.createElement(tag);
    if (className) e.className = className;
    if (text !== undefined) e.textContent = text;
    parent.appendChild(e);
    return e;
  }

  function clear(e) { while (e.firstChild) e.removeChild(e.firstChild); }

  function time(us) {
    if (us < 0) return "−" + time(-us); /* before the connection */
    if (us < 100) return us.toFixed(0) + " µs";
    if (us < 1e4) return (us / 1e3).toFixed(1) + " ms";
    return us < 1e6 ? (us / 1e3).toFixed(0) + " ms" : (us / 1e6).toFixed(us < 1e7 ? 2 : 1) + " s";
  }

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  }

  /* ---- connections ---- */

  function listConnections() {
    const wanted = $("filter").value.toLowerCase(), body = $("conns");
    clear(body);
    let found = 0;
    D.connections.forEach(function (c, i) {
      const text = (c.client + " " + c.server + " " + c.slow).toLowerCase();
      if (text.indexOf(wanted) < 0 || ++found > LISTED) return;
      const tr = el(body, "tr");
      tr.tabIndex = 0;
      tr.dataset.index = String(i);
      el(tr, "td", "n", String(c.stream));
      el(tr, "td", "", c.client + " → " + c.server);
      el(tr, "td", "n wide", num(c.bytes[0]) + " / " + num(c.bytes[1]));
      el(tr, "td", "n wide", num(c.again));
      el(tr, "td", "n", time(c.us));
      el(tr, "td", "", c.slow);
      tr.addEventListener("click", function () { choose(i); });
      tr.addEventListener("keydown", function (e) { if (e.key === "Enter") choose(i); });
    });
    if (found > LISTED) {
      const td = el(el(body, "tr"), "td", "faint", "… and " + num(found - LISTED) + " more: filter them");
      td.colSpan = 6;
    }
    showSelected();
  }

  function showSelected() {
    Array.prototype.forEach.call($("conns").querySelectorAll("tr[data-index]"), function (tr) {
      tr.setAttribute("aria-selected", String(D.connections[+tr.dataset.index] === conn));
    });
  }

  function choose(index) {
    conn = D.connections[index];
    $("main").hidden = false;
    $("name").textContent = (conn.stream === null ? "" : "#" + conn.stream + " · ") + conn.left + " ⇄ " + conn.right;
    $("slow").textContent = conn.stream === null ? "There was no TCP." : "Where the time went: " + conn.slow;
    clear($("notes"));
    conn.notes.forEach(function (words) { el($("notes"), "li", "", words); });
    clear($("facts"));
    conn.facts.forEach(function (f) {
      const d = el($("facts"), "div");
      el(d, "span", "faint", f[0]);
      el(d, "span", "", f[1]);
    });
    unpack();
    $("charts").hidden = conn.stream === null;
    side = bytesOf(1) >= bytesOf(0) ? 1 : 0;
    at = -1;
    $("search").value = "";
    showSelected();
    ladder();
    whole();
  }

  function bytesOf(s) {
    return marks.reduce((n, m) => m.side === s && m.kind < 3 ? Math.max(n, m.hi) : n, 0);
  }

  /* Marks lie flat, as [at, span, lo, length, count, kind and side], each `at` told from the last. */
  function unpack() {
    const flat = conn.marks || [];
    let now = 0;
    marks = [];
    for (let i = 0; i + 5 < flat.length; i += 6) {
      now += flat[i];
      marks.push({at: now, until: now + flat[i + 1], lo: flat[i + 2], hi: flat[i + 2] + flat[i + 3],
        count: flat[i + 4], kind: flat[i + 5] >> 1, side: flat[i + 5] & 1});
    }
  }

  /* ---- the ladder ---- */

  function rowOf(step) {
    const div = document.createElement("div");
    div.className = "row";
    el(div, "div", "t", time(step.t));
    if (step.d === 0) {
      el(div, "div", "note", step.w);
    } else {
      const kind = step.d < 0 ? "r" : "l";
      const a = el(div, "div", "a " + kind + (step.c ? " " + step.c : ""));
      el(a, "span", "w", step.w);
      if (step.c && step.c.indexOf("lost") >= 0) el(a, "span", "x", "✗");
      if (step.f) {
        const b = el(a, "button", "", "+");
        b.type = "button";
        b.setAttribute("aria-label", "unfold");
        b.addEventListener("click", function (e) { e.stopPropagation(); unfold(div.next); });
      }
      el(div, "div", "s", step.s || "");
    }
    return div;
  }

  function ladder() {
    const box = $("rows");
    clear(box);
    box.classList.toggle("lanes", conn.steps.some((step) => /kern/.test(step.c || "")));
    rows = conn.steps.map(function (step, i) {
      const div = rowOf(step), row = {div: div, step: step, more: null, i: i};
      div.next = row;
      div.addEventListener("mouseenter", function () { hover = {from: step.t, to: step.u}; draw(); });
      div.addEventListener("mouseleave", function () { hover = null; draw(); });
      div.addEventListener("click", function () { select(i, false); });
      box.appendChild(div);
      return row;
    });
    if (!rows.length) el(box, "p", "more", "No details were kept of this connection: tern draw --stream " + conn.stream);
    $("fold").textContent = "unfold all";
  }

  function within(step) {
    return marks.filter((m) => m.at <= step.u && m.until >= step.t && m.kind !== KIND.rtt &&
      m.kind !== KIND.cwnd);
  }

  function unfold(row, only) {
    if (row.more) {
      if (only === true) return;
      row.more.remove();
      row.more = null;
      return;
    }
    if (only === false) return;
    row.more = document.createElement("div");
    row.more.className = "more";
    const names = ["sent", "sent again", "late", "ACK", "SACK", "probe", "", "flag"];
    const found = within(row.step);
    if (row.step.y) el(row.more, "div", "", "because: " + row.step.y);
    found.slice(0, 200).forEach(function (m) {
      const who = (m.side === 1) === (m.kind === KIND.ack || m.kind === KIND.sack) ? "→" : "←";
      const range = m.kind === KIND.ack ? "below " + num(m.lo) + ", room to " + num(m.hi) :
        m.kind === KIND.flag ? "" : num(m.lo) + "–" + num(Math.max(m.lo, m.hi - 1));
      el(row.more, "div", "", time(m.at) + " " + who + " " + names[m.kind] + " " + range +
        (m.count > 1 ? " (" + num(m.count) + " packets)" : ""));
    });
    if (found.length > 200) el(row.more, "div", "", "… and " + num(found.length - 200) + " more");
    row.div.after(row.more);
  }

  function select(i, scroll) {
    if (at >= 0 && rows[at]) rows[at].div.classList.remove("on");
    at = Math.max(0, Math.min(rows.length - 1, i));
    if (!rows.length) return;
    const row = rows[at];
    row.div.classList.add("on");
    hover = {from: row.step.t, to: row.step.u};
    if (scroll) {
      const box = $("rows");
      box.scrollTop = row.div.offsetTop - box.clientHeight / 3;
    }
    const d = X.domain();
    if (row.step.t < d[0] || row.step.t > d[1]) view(row.step.t - (d[1] - d[0]) / 2, d[1] - d[0]);
    draw();
  }

  function isTrouble(row) { return row.step.c && /warn|bad/.test(row.step.c); }

  function trouble(way) {
    for (let i = at + way; i >= 0 && i < rows.length; i += way)
      if (isTrouble(rows[i])) { select(i, true); return; }
  }

  function search() {
    const wanted = $("search").value.toLowerCase();
    let first = -1;
    rows.forEach(function (row, i) {
      const found = wanted !== "" && (row.step.w + " " + (row.step.s || "") + " " + (row.step.y || ""))
        .toLowerCase().indexOf(wanted) >= 0;
      row.div.classList.toggle("found", found);
      if (found && first < 0) first = i;
    });
    if (first >= 0) select(first, true);
  }

  /* ---- the time axis, which all charts share ---- */

  function length() { return Math.max(1, conn.us); }

  function view(from, span) {
    const all = length(), width = $("seq").clientWidth - 8;
    span = Math.max(all / 1e6, Math.min(span, all));
    from = Math.max(0, Math.min(from, all - span));
    X.domain([from, from + span]).range([64, width]);
    const k = all / span;
    zoom.x(d3.scale.linear().domain([0, all]).range([64, width]));
    zoom.scale(k).translate([64 - k * (64 + (from / all) * (width - 64)), 0]);
    draw();
  }

  function whole() { view(0, length()); }

  function zoomed() {
    const d = zoom.x().domain(), all = length();
    const span = Math.min(all, d[1] - d[0]), from = Math.max(0, Math.min(d[0], all - span));
    X.domain([from, from + span]).range([64, $("seq").clientWidth - 8]);
    draw();
  }

  function scaled(by) {
    const d = X.domain(), span = d[1] - d[0];
    view(d[0] + span / 2 - span * by / 2, span * by);
  }

  function panned(by) {
    const d = X.domain();
    view(d[0] + (d[1] - d[0]) * by, d[1] - d[0]);
  }

  /* ---- drawing ---- */

  function canvasOf(id) {
    const c = $(id), ratio = window.devicePixelRatio || 1, w = c.clientWidth;
    if (!c.dataset.tall) c.dataset.tall = c.getAttribute("height");
    const h = +c.dataset.tall;
    if (c.width !== Math.round(w * ratio) || c.height !== Math.round(h * ratio)) {
      c.width = Math.round(w * ratio);
      c.height = Math.round(h * ratio);
    }
    c.style.height = h + "px";
    const g = c.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, w, h);
    g.font = "11px system-ui, sans-serif";
    return {g: g, w: w, h: h};
  }

  function axes(p, Y, bottom, format) {
    const g = p.g;
    g.strokeStyle = colour("rule");
    g.fillStyle = colour("faint");
    g.lineWidth = 1;
    g.textAlign = "right";
    g.textBaseline = "middle";
    Y.ticks(Math.max(2, p.h / 50)).forEach(function (v) {
      const y = Math.round(Y(v)) + 0.5;
      g.beginPath(); g.moveTo(64, y); g.lineTo(p.w - 8, y); g.stroke();
      g.fillText(format(v), 58, y);
    });
    if (!bottom) return;
    g.textAlign = "center";
    g.textBaseline = "top";
    X.ticks(Math.max(2, p.w / 110)).forEach(function (v) {
      const x = Math.round(X(v)) + 0.5;
      g.beginPath(); g.moveTo(x, 4); g.lineTo(x, p.h - 18); g.stroke();
      const half = g.measureText(time(v)).width / 2;
      g.fillText(time(v), Math.max(half, Math.min(x, p.w - half - 1)), p.h - 14);
    });
  }

  function clip(p, height) {
    p.g.save();
    p.g.beginPath();
    p.g.rect(64, 0, p.w - 72, height);
    p.g.clip();
  }

  function hoverBand(p, height) {
    if (!hover) return;
    const a = X(hover.from), b = Math.max(a + 2, X(hover.to));
    p.g.fillStyle = colour("mark");
    p.g.fillRect(a - 1, 0, b - a + 2, height);
  }

  function visible() {
    const d = X.domain();
    return marks.filter((m) => m.side === side && m.until >= d[0] && m.at <= d[1]);
  }

  /* The mark of a kind that was in force when the view begins. */
  function before(kind) {
    const d = X.domain();
    let last = null;
    for (let i = 0; i < marks.length && marks[i].at < d[0]; i++)
      if (marks[i].side === side && marks[i].kind === kind) last = marks[i];
    return last;
  }

  function bars(p, Y, list, name, width) {
    const g = p.g;
    g.strokeStyle = colour(name);
    g.lineWidth = width;
    g.beginPath();
    list.forEach(function (m) {
      const x = X(m.at), x2 = X(m.until), y = Y(m.lo), y2 = Math.min(Y(m.hi), y - 1);
      g.moveTo(x, y);
      g.lineTo(x2 - x > 1 ? x2 : x, y2);
    });
    g.stroke();
  }

  function stairs(p, Y, list, value, name, width) {
    const g = p.g;
    g.strokeStyle = colour(name);
    g.lineWidth = width;
    g.beginPath();
    list.forEach(function (m, i) {
      const y = Y(value(m));
      if (i === 0) g.moveTo(X(m.at), y);
      else { g.lineTo(X(m.at), Y(value(list[i - 1]))); g.lineTo(X(m.at), y); }
    });
    if (list.length) g.lineTo(p.w, Y(value(list[list.length - 1])));
    g.stroke();
  }

  function drawSeq(seen) {
    const p = canvasOf("seq"), inner = p.h - 20, g = p.g;
    const data = seen.filter((m) => m.kind < 3), first = before(KIND.ack);
    const acks = (first ? [first] : []).concat(seen.filter((m) => m.kind === KIND.ack));
    const low = d3.min(data.concat(acks), (m) => m.lo) || 0;
    const high = d3.max(data.concat(acks), (m) => m.kind < 3 ? m.hi : m.lo) || 1;
    const Y = d3.scale.linear().domain([low, high + (high - low) * 0.06 + 1]).range([inner, 8]);
    axes(p, Y, true, bytes);
    clip(p, inner);
    hoverBand(p, inner);
    stairs(p, Y, acks, (m) => m.hi, "window", 1);
    stairs(p, Y, acks, (m) => m.lo, "ink", 1.2);
    bars(p, Y, seen.filter((m) => m.kind === KIND.data), side === 1 ? "right" : "left", 2);
    bars(p, Y, seen.filter((m) => m.kind === KIND.sack), "sack", 1.5);
    bars(p, Y, seen.filter((m) => m.kind === KIND.late), "warn", 3);
    bars(p, Y, seen.filter((m) => m.kind === KIND.again), "bad", 3);
    g.fillStyle = colour("faint");
    seen.filter((m) => m.kind === KIND.probe || m.kind === KIND.flag).forEach(function (m) {
      g.fillRect(X(m.at) - 2, Y(Math.max(low, m.lo)) - 2, 4, 4);
    });
    g.restore();
  }

  function drawPuzzle(seen) {
    const p = canvasOf("puzzle"), g = p.g, end = X.domain()[1];
    const all = Math.max(1, bytesOf(side)), x = d3.scale.linear().domain([0, all]).range([64, p.w - 8]);
    const upto = hover ? hover.to : end;
    g.strokeStyle = colour("rule");
    g.strokeRect(64.5, 6.5, p.w - 73, 16);
    marks.forEach(function (m) {
      if (m.side !== side || m.kind > 2 || m.at > upto) return;
      g.fillStyle = colour(m.kind === 0 ? (side === 1 ? "right" : "left") : m.kind === 1 ? "bad" : "warn");
      g.fillRect(x(m.lo), 7, Math.max(1, x(m.hi) - x(m.lo)), 15);
    });
    g.fillStyle = colour("faint");
    g.textAlign = "right";
    g.textBaseline = "middle";
    g.fillText(d3.format(".3s")(all), 58, 15);
  }

  function flights() {
    let top = 0, una = 0, room = null;
    const list = [];
    marks.forEach(function (m) {
      if (m.side !== side || (m.kind > 3)) return;
      if (m.kind < 3) top = Math.max(top, m.hi);
      else { una = Math.max(una, m.lo); room = m.hi - m.lo; }
      list.push({at: m.at, flight: Math.max(0, top - una), room: room});
    });
    return list;
  }

  /* What a sender's own log tells: nothing of it is in a capture. */
  function windows() {
    const d = X.domain(), first = before(KIND.cwnd);
    return (first ? [first] : []).concat(marks.filter((m) => m.kind === KIND.cwnd && m.side === side &&
      m.at >= d[0] && m.at <= d[1]));
  }

  function drawFlight() {
    const p = canvasOf("flight"), inner = p.h - 20, d = X.domain(), cwnds = windows();
    const all = flights(), seen = all.filter((f) => f.at >= d[0] && f.at <= d[1]);
    const high = Math.max(d3.max(seen, (f) => f.flight) || 1, d3.max(cwnds, (m) => m.lo) || 0);
    const told = seen.filter((f) => f.room !== null), room = d3.min(told, (f) => f.room);
    const shown = told.length && room < high * 3;
    const top = Math.max(high, shown ? room : 0) * 1.1;
    const Y = d3.scale.linear().domain([0, top]).range([inner, 6]);
    axes(p, Y, true, bytes);
    clip(p, inner);
    hoverBand(p, inner);
    if (shown) stairs(p, Y, told, (f) => Math.min(f.room, top), "window", 1);
    stairs(p, Y, seen, (f) => f.flight, side === 1 ? "right" : "left", 1.5);
    stairs(p, Y, cwnds.filter((m) => m.hi > m.lo), (m) => m.hi - m.lo, "warn", 1);
    stairs(p, Y, cwnds, (m) => m.lo, "sack", 1.5);
    $("flightname").textContent = "bytes in flight" +
      (shown ? ", and the receiver's window" +
        (d3.max(told, (f) => f.room) > top ? " (at the edge: there, or above)" : "")
        : told.length ? "; the receiver's window is above: " + bytes(room) + " or more" : "") +
      (cwnds.length ? "; congestion window (violet) and slow start threshold (amber)" : "");
    p.g.restore();
  }

  function drawRtt(seen) {
    const p = canvasOf("rtt"), inner = p.h - 20, g = p.g;
    const list = seen.filter((m) => m.kind === KIND.rtt);
    const Y = d3.scale.linear().domain([0, (d3.max(list, (m) => m.lo / 1e6) || 1) * 1.1]).range([inner, 6]);
    axes(p, Y, true, (v) => String(v));
    clip(p, inner);
    hoverBand(p, inner);
    g.fillStyle = colour("sack");
    list.forEach(function (m) { g.fillRect(X(m.at) - 2, Y(m.lo / 1e6) - 2, 4, 4); });
    g.restore();
  }

  function drawNow() {
    pending = false;
    if (!conn) return;
    const seen = visible();
    drawSeq(seen);
    drawPuzzle(seen);
    drawFlight();
    drawRtt(seen);
    $("seqname").textContent = "bytes of " + (side === 1 ? conn.right : conn.left) + " over time";
  }

  function draw() {
    if (pending) return;
    pending = true;
    requestAnimationFrame(drawNow);
  }

  /* ---- hovering over a chart: the step of that time, and what is nearest ---- */

  function pointed(e) {
    const box = e.target.getBoundingClientRect(), t = X.invert(e.clientX - box.left), tip = $("tip");
    if (!rows.length || e.clientX - box.left < 64) { tip.hidden = true; return; }
    const i = Math.max(0, d3.bisector((r) => r.step.t).right(rows, t) - 1);
    rows.forEach((row, k) => row.div.classList.toggle("on", k === i));
    at = i;
    hover = {from: rows[i].step.t, to: rows[i].step.u};
    const holder = $("rows");
    if (!holder.matches(":hover")) holder.scrollTop = rows[i].div.offsetTop - holder.clientHeight / 3;
    tip.textContent = time(t) + " · " + rows[i].step.w;
    tip.hidden = false;
    tip.style.left = Math.min(e.clientX + 14, window.innerWidth - 330) + "px";
    tip.style.top = e.clientY + 16 + "px";
    draw();
  }

  function left() { $("tip").hidden = true; hover = null; draw(); }

  /* ---- keys ---- */

  const KEYS = {
    "ArrowLeft": () => panned(-0.25), "ArrowRight": () => panned(0.25),
    "+": () => scaled(0.5), "=": () => scaled(0.5), "-": () => scaled(2), "0": whole,
    "j": () => select(at + 1, true), "k": () => select(at - 1, true),
    "n": () => trouble(1), "p": () => trouble(-1),
    "f": () => { if (rows[at]) unfold(rows[at]); },
    "s": flip, "/": () => $("search").focus(), "?": help,
    "[": () => choose((D.connections.indexOf(conn) + D.connections.length - 1) % D.connections.length),
    "]": () => choose((D.connections.indexOf(conn) + 1) % D.connections.length)
  };

  function flip() { side = 1 - side; draw(); }
  function help() { $("help").hidden = !$("help").hidden; }

  function foldAll() {
    const open = $("fold").textContent === "unfold all";
    rows.slice(0, 500).forEach(function (row) { if (row.step.f || row.step.y) unfold(row, open); });
    $("fold").textContent = open ? "fold all" : "unfold all";
  }

  document.addEventListener("keydown", function (e) {
    if (e.target.tagName === "INPUT") { if (e.key === "Escape") e.target.blur(); return; }
    if (e.ctrlKey || e.metaKey || e.altKey || !conn || !KEYS[e.key]) return;
    e.preventDefault();
    KEYS[e.key]();
  });

  LEGEND.forEach(function (l) {
    const s = el($("legend"), "span");
    el(s, "i").style.background = "var(--" + (l[0] === "data" ? "right" : l[0]) + ")"; /* dark or not */
    s.appendChild(document.createTextNode(l[1]));
  });
  $("about").textContent = D.about;
  $("filter").addEventListener("input", listConnections);
  $("search").addEventListener("input", search);
  $("flip").addEventListener("click", flip);
  $("plus").addEventListener("click", KEYS["+"]);
  $("minus").addEventListener("click", KEYS["-"]);
  $("all").addEventListener("click", whole);
  $("next").addEventListener("click", () => trouble(1));
  $("fold").addEventListener("click", foldAll);
  $("keys").addEventListener("click", help);
  zoom.on("zoom", zoomed);
  canvases.forEach(function (c) {
    c.addEventListener("mousemove", pointed);
    c.addEventListener("mouseleave", left);
    if (c.id !== "puzzle") d3.select(c).call(zoom);
  });
  window.addEventListener("resize", function () { if (conn) view(X.domain()[0], X.domain()[1] - X.domain()[0]); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  $("overview").hidden = D.connections.length < 2;
  listConnections();
  if (D.connections.length) choose(D.first);
}());
