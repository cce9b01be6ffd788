#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The pages and drawings of tern draw in headless Chromium: nothing on the console, nothing
fetched, hovering is linked, keys work, and what came over the wire is never markup.

    page.py TERN                     judge
    page.py TERN --shots FOLDER      and leave screenshots at 1280 and 390 px, light and dark
"""
import http.server
import os
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
import captures  # noqa: E402

try:
    from selenium import webdriver
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError:
    print("skipped: python3-selenium is not installed")
    sys.exit(77)

DRIVER = "/usr/bin/chromedriver"
if not os.path.exists(DRIVER):
    print("skipped: chromium-driver is not installed")
    sys.exit(77)

FAILED = []


def hold(what, truth, detail=""):
    if not truth:
        FAILED.append(what)
        print(f"FAIL {what}: {detail}")


def browser(width, dark, profile):
    options = webdriver.ChromeOptions()
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 f"--window-size={max(width, 500)},1600", f"--user-data-dir={profile}",
                 "--force-device-scale-factor=1") + (("--force-dark-mode",) if dark else ()):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.chrome.service.Service(DRIVER)
    driver = webdriver.Chrome(service=service, options=options)
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": width, "height": 1500, "deviceScaleFactor": 1,
                            "mobile": False})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
    return driver


def settled(driver):
    driver.execute_async_script(
        "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done));")


def silent(driver, what):
    log = [entry["message"] for entry in driver.get_log("browser")]
    hold(f"{what}: nothing on the console", not log, str(log[:3]))


def control(driver):
    """That which is said on the console is seen, else silent() would hold of anything."""
    driver.get("data:text/html,<script>console.error('to be seen')</script>")
    hold("the console is heard", "to be seen" in str(driver.get_log("browser")))


def ink(driver, canvas):
    """How many pixels of a chart are drawn."""
    return driver.execute_script(
        "const c = document.getElementById(arguments[0]); const d = c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data; let n = 0;"
        "for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n;", canvas)


def press(driver, keys):
    driver.find_element(By.TAG_NAME, "body").send_keys(keys)
    settled(driver)


def picture(driver, canvas):
    return driver.execute_script("return document.getElementById(arguments[0]).toDataURL()", canvas)


def selected(driver):
    return [row.text for row in driver.find_elements(By.CSS_SELECTOR, ".row.on")]


def works(driver, path):
    driver.get("file://" + path)
    settled(driver)
    for canvas in ("seq", "puzzle", "flight", "rtt"):
        hold(f"something is drawn in {canvas}", ink(driver, canvas) > 50)
    rows = driver.find_elements(By.CSS_SELECTOR, ".row")
    hold("a ladder", len(rows) > 10, str(len(rows)))
    before = picture(driver, "seq")
    webdriver.ActionChains(driver).move_to_element(rows[8]).perform()
    settled(driver)
    hold("hovering a step shows in the chart", picture(driver, "seq") != before)
    webdriver.ActionChains(driver).move_to_element(
        driver.find_element(By.ID, "seq")).perform()
    settled(driver)
    hold("hovering the chart shows in the ladder", len(selected(driver)) == 1,
         str(selected(driver)))
    webdriver.ActionChains(driver).move_to_element(driver.find_element(By.TAG_NAME, "h2")).perform()
    settled(driver)
    whole = picture(driver, "seq")
    press(driver, "+")
    hold("zooming by key", picture(driver, "seq") != whole)
    closer = picture(driver, "seq")
    press(driver, Keys.ARROW_RIGHT)
    hold("panning by key", picture(driver, "seq") != closer)
    press(driver, "0")
    press(driver, "jjj")
    hold("stepping by key", len(selected(driver)) == 1)
    press(driver, "n")
    hold("the next trouble", any("again" in text or "lost" in text or "duplicate" in text
                                 for text in selected(driver)), str(selected(driver)))
    press(driver, "f")
    hold("unfolding", len(driver.find_elements(By.CSS_SELECTOR, ".more")) == 1)
    press(driver, "/")
    driver.switch_to.active_element.send_keys("FIN")
    settled(driver)
    found = driver.find_elements(By.CSS_SELECTOR, ".row.found")
    hold("searching", found and all("FIN" in row.text for row in found))
    silent(driver, "the page")


# Remembers the horizontal extent of every text that a chart is drawn with.
HEAR = """
const old = CanvasRenderingContext2D.prototype.fillText; window.heard = [];
CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
  const w = this.measureText(text).width, a = this.textAlign;
  const left = a === "center" ? x - w / 2 : a === "right" ? x - w : x;
  window.heard.push([text, left, left + w, this.canvas.clientWidth]);
  old.call(this, text, x, y);
};"""


def labels(driver, folder, tern):
    """No label of an axis is cut off, at either width and at several zooms; the last is of the
    right edge."""
    talk = captures.slow_link()
    talk.say(1000, "c", "A", 1, 40 * captures.MSS + 10)
    page, _ = draw(tern, folder, "round.pcap", captures.pcap(talk.packets))
    driver.get("file://" + page)
    settled(driver)
    driver.execute_script(HEAR)
    for width in (1280, 390):
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                               {"width": width, "height": 1500, "deviceScaleFactor": 1,
                                "mobile": False})
        settled(driver)
        for key in "0++++----":
            press(driver, key)
        heard = driver.execute_script("const all = window.heard; window.heard = []; return all")
        cut = [one for one in heard if one[1] < 0 or one[2] > one[3]]
        hold(f"labels at {width} pixels", heard and not cut, f"{len(heard)}, cut: {cut[:3]}")


def receivers_window(driver, folder, tern):
    """It is in the chart of what is in flight, and named there, where there is room for it."""
    for story, named in (("full_hole", "the receiver's window (at the edge: there, or above)"),
                         ("fast", "the receiver's window is above: ")):
        page, _ = draw(tern, folder, story + ".room.pcap",
                       captures.pcap(getattr(captures, story)().packets))
        driver.get("file://" + page)
        settled(driver)
        name = driver.find_element(By.ID, "flightname").text
        hold(f"{story}: the window's name", named in name, name)


def many(driver, folder, tern):
    """The list of very many connections says that it ends, and fits where there is little room."""
    page, _ = draw(tern, folder, "crowd.pcap", captures.pcap(captures.crowd(1010), wrap=bytes))
    driver.get("file://" + page)
    settled(driver)
    hold("how many more there are", "… and 10 more" in driver.execute_script(
        "return document.getElementById('conns').lastChild.textContent"))
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": 390, "height": 1500, "deviceScaleFactor": 1,
                            "mobile": False})
    settled(driver)
    extent = driver.execute_script("const list = document.querySelector('.conns');"
                                   "return [list.scrollWidth, list.clientWidth]")
    hold("the list at 390 pixels", extent[0] <= extent[1], str(extent))
    silent(driver, "many connections")


def hostile(driver, folder, tern):
    talk = captures.Talk()
    words = b"<img src=x onerror=alert(1)></script><script>document.title='owned'</script> & \"'"
    talk.open(request=words + b"\r\n")
    talk.say(41, "s", "PA", 0, len(words) + 2, words,
             comment="</script><script>document.title='owned'</script>\x1b[2J \u202e")
    pages = draw(tern, folder, "hostile.pcapng", captures.pcapng(talk.packets, b"dumpcap"))
    for page in pages:
        driver.get("file://" + page)
        settled(driver)
        hold("the title is ours", "owned" not in driver.title)
        hold("no image of theirs", not driver.find_elements(By.CSS_SELECTOR, "img"))
        hold("their words are words", "onerror" in driver.page_source)
        silent(driver, "hostile words")


# The records of a tiny event log, as docs/sqlog.md has them.
LOG = """{"trace":{"common_fields":{}}}
{"time":0,"name":"tcp:connection_opened","group_id":"1","data":{LOCAL}}
{"time":1,"name":"tcp:segment_sent","group_id":"1","data":{LOCAL,"flags":"SYN","seq":9}}
{"time":2,"name":"tcp:segment_received","group_id":"1","data":{LOCAL,"flags":"SYN ACK","ack":10}}
{"time":3,"name":"tcp:segment_sent","group_id":"1","data":{LOCAL,"flags":"ACK","seq":10,"ack":1,\
"text_bytes":1000,"cause":"APP_WRITE"}}
{"time":4,"name":"tcp:metrics_updated","group_id":"1","data":{"cwnd_bytes":14480,\
"ssthresh_bytes":9000}}
{"time":5,"name":"tcp:segment_received","group_id":"1","data":{LOCAL,"flags":"ACK","seq":1,\
"ack":1010,"window_bytes":4000}}
""".replace("LOCAL", '"local":"10.0.0.1:5","remote":"10.0.0.2:80"')


def from_log(driver, folder, tern):
    """The congestion window is in the chart of an event log, and only there."""
    data = "".join("\x1e" + line + "\n" for line in LOG.splitlines()).encode()
    page, _ = draw(tern, folder, "small.sqlog", data)
    driver.get("file://" + page)
    settled(driver)
    hold("the congestion window is named", "congestion window" in
         driver.find_element(By.ID, "flightname").text)
    hold("something is drawn in flight", ink(driver, "flight") > 50)
    silent(driver, "the page of a log")


def draw(tern, folder, name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as out:
        out.write(data)
    subprocess.run([tern, "draw", path, "--html", path + ".html", "--svg", path + ".svg"],
                   check=True, timeout=60)
    return path + ".html", path + ".svg"


def shoot(pages, folder):
    for width in (1280, 390):
        for dark in (False, True):
            with tempfile.TemporaryDirectory(prefix="tern-page-") as profile:
                driver = browser(width, dark, profile)
                for page in pages:
                    driver.get("file://" + page)
                    settled(driver)
                    name = f"{os.path.basename(page)}-{width}-{'dark' if dark else 'light'}.png"
                    driver.save_screenshot(os.path.join(folder, name))
                driver.quit()


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b"x" * 100000)

    def log_message(self, *_words):  # pylint: disable=arguments-differ
        pass


def live(driver, folder, tern):
    """The pages that tern draws of its own runs: of a transfer, and of a run without TCP."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pages = [os.path.join(folder, name) for name in ("get.html", "ping.html")]
    subprocess.run([tern, "get", "-sS", "-o", "/dev/null", "--draw", pages[0],
                    f"http://10.0.2.2:{server.server_port}/page"], check=True, timeout=60)
    subprocess.run([tern, "ping", "-q", "-c", "1", "--draw", pages[1], "10.0.2.2"], check=True,
                   timeout=60, stdout=subprocess.DEVNULL)
    server.shutdown()
    for page, first, ends, charts in ((pages[0], "ARP:", ("CLOSED", "TIME-WAIT"), True),
                                      (pages[1], "ARP:", ("ping: yes",), False)):
        driver.get("file://" + page)
        settled(driver)
        rows = driver.find_elements(By.CSS_SELECTOR, ".row")
        # whoever closes first, TIME-WAIT is theirs
        hold(f"{page}: from {first} to {ends}",
             first in rows[0].text and any(end in rows[-1].text for end in ends),
             str([row.text for row in rows]))
        hold(f"{page}: charts", driver.find_element(By.ID, "seq").is_displayed() == charts)
        for row in (rows[0], rows[-1]):
            webdriver.ActionChains(driver).move_to_element(row).perform()
        press(driver, "jjk+0s")
        silent(driver, page)


def main(tern, shots):
    tern = os.path.abspath(tern)
    with tempfile.TemporaryDirectory(prefix="tern-page-") as folder:
        page, drawing = draw(tern, folder, "fast.pcap", captures.pcap(captures.fast().packets))
        driver = browser(1280, False, os.path.join(folder, "profile"))
        control(driver)
        works(driver, page)
        hold("a capture has no congestion window", "congestion" not in
             driver.find_element(By.ID, "flightname").text)
        from_log(driver, folder, tern)
        labels(driver, folder, tern)
        receivers_window(driver, folder, tern)
        many(driver, folder, tern)
        hostile(driver, folder, tern)
        live(driver, folder, tern)
        driver.get("file://" + drawing)
        hold("the drawing has text", "ESTABLISHED" in driver.page_source)
        silent(driver, "the drawing")
        driver.quit()
        if shots:
            shoot([page, drawing], shots)
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[3] if len(sys.argv) > 3 else None))
