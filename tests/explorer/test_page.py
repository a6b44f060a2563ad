"""The page in a browser: by keyboard, at both widths, light and dark."""

import json
import shutil
import threading
import time
from urllib.parse import quote

import pytest

from mnist_cnn import by_hand
from mnist_cnn.explorer import make_server

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (BROWSER and DRIVER), reason="needs chromium and chromedriver"
    ),
]


@pytest.fixture(scope="module")
def url():
    server = make_server(by_hand.read_network(by_hand.NETWORKS["question"]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.url
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu"):
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    made = webdriver.Chrome(options=options, service=Service(DRIVER))
    made.set_script_timeout(30)
    yield made
    made.quit()


class Page:
    def __init__(self, browser, url):
        self.browser, self.url = browser, url

    def open(self, hash_=""):
        self.browser.get("about:blank")
        self.browser.get(f"{self.url}{hash_}")
        self.wait(lambda: self.text("#total") != "…")

    def all(self, selector):
        return self.browser.find_elements("css selector", selector)

    def one(self, selector):
        return self.browser.find_element("css selector", selector)

    def text(self, selector):
        return self.one(selector).get_property("textContent").strip()

    def wait(self, holds, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if holds():
                    return
            except Exception as error:
                if "stale" not in str(error) and "no such element" not in str(error):
                    raise
            time.sleep(0.05)
        raise AssertionError(f"waited in vain; the page shows {self.text('body')!r}")

    def until(self, selector, text):
        self.wait(lambda: text in self.text(selector))

    def layer(self, name):
        return f'.layer[data-name="{name}"]'

    def field(self, label):
        return self.one(f'input[aria-label="{label}"]')

    def resize(self, width, dark=False):
        self.browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
        )
        scheme = "dark" if dark else "light"
        self.browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
        )

    def type(self, element, text):
        from selenium.webdriver.common.keys import Keys

        element.send_keys(Keys.CONTROL, "a")
        element.send_keys(text)


@pytest.fixture
def page(browser, url):
    made = Page(browser, url)
    made.resize(1280)
    made.open()
    yield made
    logged = [one for one in browser.get_log("browser") if one["level"] == "SEVERE"]
    # What a question is answered with 422 is a mistake of the person, and told.
    assert [one for one in logged if "422" not in one["message"]] == []


def test_questions_network_is_there_and_verified(page):
    assert page.text("#total") == "217'706"
    assert len(page.all(".layer")) == 7
    dense = page.layer("dense")
    assert "(32*5*5+1)*256" in page.text(f"{dense} .parameters")
    assert "(n + 1)*m" in page.text(f"{dense} .parameters")
    page.until("#verified", "verified against Lasagne")
    assert page.text("#release") == "rules of Lasagne 0.1"


def test_a_number_is_edited_and_what_follows_from_it_shown(page):
    page.type(page.field("conv2d1 num_filters"), "48")
    page.until("#total", "222'730")
    assert page.text("#difference") == "(+5'024)"
    first = page.text(page.layer("conv2d1"))
    assert "(5*5*1+1)*48" in first
    assert "+416 (was 832)" in first
    assert "was 32x24x24" in first
    assert "+4'608 (was 9'248)" in page.text(page.layer("conv2d2"))
    changed = [one.get_attribute("data-name") for one in page.all(".layer.changed")]
    assert changed == ["conv2d1", "maxpool1", "conv2d2"]
    page.one("#back").click()
    page.until("#total", "217'706")
    assert page.all(".layer.changed") == []


def test_changes_are_counted_from_here_on_request(page):
    page.type(page.field("dense num_units"), "128")
    page.until("#difference", "(-")
    page.one("#keep").click()
    page.wait(lambda: page.text("#difference") == "")
    page.type(page.field("dense num_units"), "129")
    page.until("#difference", f"(+{32 * 5 * 5 + 1 + 10})")


def test_a_filter_past_its_input_says_why_it_cannot_be(page):
    from selenium.webdriver.common.keys import Keys

    slider = page.field("conv2d2 filter_size, all axes")
    for size in range(4, 14):
        slider.send_keys(Keys.ARROW_RIGHT)
        page.wait(
            lambda size=size: (
                page.field("conv2d2 filter_size, axis 0").get_property("value")
                == str(size)
            )
        )
    page.until("#refused", "the filter takes 13")
    assert "a filter of at most 12, or a pad" in page.text("#refused")
    assert "smallest image that serves is 1x32x32" in page.text("#refused")
    assert page.text("#total") == "?"
    contrast = page.browser.execute_script(CONTRAST)
    assert ".behind .label" in contrast
    assert min(contrast.values()) >= 4.5, contrast
    behind = [one.get_attribute("data-name") for one in page.all(".layer.behind")]
    assert behind == ["maxpool2", "dense", "output"]
    assert "cause" in page.one(page.layer("conv2d2")).get_attribute("class")
    # At 12 a single row is left, and the pool behind takes 2.
    slider.send_keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    page.wait(lambda: not page.one("#refused").is_displayed())
    assert "32x1x1" in page.text(page.layer("maxpool2"))


def test_a_count_opens_its_tensors(page):
    count = page.one(f"{page.layer('conv2d1')} .count")
    count.click()
    inside = f"{page.layer('conv2d1')} .inside"
    assert page.one(inside).is_displayed()
    assert "W 32x1x5x5 = 800" in page.text(inside)
    assert "b 32 = 32" in page.text(inside)
    assert "the outermost 4 have no complete neighbourhood" in page.text(inside)
    assert count.get_attribute("aria-expanded") == "true"
    count.click()
    assert not page.one(inside).is_displayed()


def test_words_and_flags_are_edited_as_well(page):
    page.type(page.field("conv2d1 pad"), "same")
    page.until(page.layer("conv2d1"), "32x28x28")
    page.field("conv2d1 bias").click()
    page.until(page.layer("conv2d1"), "5*5*1*32 =")
    page.field("conv2d1 bias").click()
    page.until(page.layer("conv2d1"), "(5*5*1+1)*32 =")
    page.type(page.field("maxpool1 stride"), "[2, 1]")
    page.until(page.layer("maxpool1"), "32x14x27")


def test_layers_are_put_in_and_taken_out(page):
    page.one('button[aria-label="Insert after maxpool1"]').click()
    page.one("#words").send_keys("pol2")
    page.one("#put").click()
    page.until("#insert-trouble", "did you mean pool")
    page.type(page.one("#words"), "dropout conv8@3+same")
    page.one("#put").click()
    page.until("#total", "213'106")
    assert not page.one("#insert").is_displayed()
    names = [one.get_attribute("data-name") for one in page.all(".layer")]
    assert names[2:6] == ["maxpool1", "dropout3", "conv2d4", "conv2d2"]
    assert "new" in page.text(f"{page.layer('conv2d4')} .type")
    assert "(3*3*8+1)*32" in page.text(page.layer("conv2d2"))
    page.one('button[aria-label="Remove conv2d4"]').click()
    page.until("#total", "217'706")
    page.one('button[aria-label="Remove input"]').click()
    page.until("#trouble", "input cannot be removed: it feeds conv2d1")
    page.one("#back").click()
    page.wait(lambda: len(page.all(".layer")) == 7)


def test_layers_are_put_in_and_taken_out_by_keyboard(page, browser):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    def press(*keys):
        ActionChains(browser).send_keys(*keys).perform()

    def focused():
        return browser.switch_to.active_element.get_attribute("aria-label")

    for _ in range(80):
        press(Keys.TAB)
        if focused() == "Insert after dense":
            break
    press(Keys.ENTER)
    page.wait(lambda: page.one("#insert").is_displayed())
    press("dense64", Keys.ENTER)
    page.until("#total", "232'234")
    page.wait(lambda: focused() == "Insert after dense6")
    press(Keys.TAB, Keys.ENTER)
    page.until("#total", "217'706")
    page.wait(lambda: focused() == "Insert after output")


def test_code_is_pasted(page):
    page.one("#paste").click()
    page.one("#text").send_keys("nothing of the kind")
    page.one("#read").click()
    page.wait(lambda: page.one("#text-trouble").is_displayed())
    page.type(
        page.one("#text"),
        "net = InputLayer((None, 3, 8, 8), name='in')\n"
        "net = DenseLayer(net, 5, name='out')\n",
    )
    page.one("#read").click()
    page.until("#total", str((3 * 8 * 8 + 1) * 5))
    assert not page.one("#dialog").is_displayed()
    assert len(page.all(".layer")) == 2


def test_one_of_several_networks_is_chosen(page):
    page.one("#paste").click()
    page.one("#text").send_keys(
        "one = DenseLayer(InputLayer((None, 7)), 3)\n"
        "two = DenseLayer(InputLayer((None, 9)), 3)\n"
    )
    page.one("#read").click()
    page.wait(lambda: page.one("#which").is_displayed())
    page.one("#name").send_keys("two")
    page.one("#read").click()
    page.until("#total", str((9 + 1) * 3))


def test_a_network_is_shared_by_its_address(page, browser):
    page.type(page.field("output num_units"), "26")
    page.until("#total", "221'818")
    page.wait(lambda: "26" in browser.current_url)
    address = browser.current_url
    browser.get("about:blank")
    browser.get(address)
    page.until("#total", "221'818")
    assert page.field("output num_units").get_property("value") == "26"


def test_address_with_markup_in_a_name_shows_it_as_text(page, browser):
    name = "<img src=x onerror=document.title='harmed'>"
    state = {"layers": [["InputLayer", {"name": name, "shape": [None, 3]}]]}
    page.open(f"#net={quote(json.dumps(state))}")
    page.until("#layers", name)
    assert page.all("#layers img") == []
    assert browser.title != "harmed"


@pytest.mark.parametrize("address", ["#net=%7B", "#net=[3]", "#other"])
def test_address_that_holds_no_network_is_passed_over(page, address):
    page.open(address)
    assert page.text("#total") == "217'706"


def test_every_form_is_saved(page, browser, tmp_path):
    browser.execute_cdp_cmd(
        "Browser.setDownloadBehavior",
        {"behavior": "allow", "downloadPath": str(tmp_path)},
    )
    endings = ["txt", "md", "tex", "html", "svg", "json", "csv"]
    options = page.all("#format option")
    assert len(options) == len(endings)
    for option, ending in zip(options, endings, strict=True):
        option.click()
        page.one("#export").click()
        file = tmp_path / f"network.{ending}"
        page.wait(lambda file=file: file.exists() and file.stat().st_size > 0)
        assert "conv2d1" in file.read_text("utf-8")


def test_columns_and_the_picture_are_shown_on_request(page):
    page.one("#more summary").click()
    page.one('#columns input[value="field"]').click()
    page.until(page.layer("conv2d2"), "6+(3-1)*2 = 10x10")
    assert "nolearn's" in page.text(page.layer("conv2d2"))
    page.one("#picture summary").click()
    page.wait(
        lambda: page.browser.execute_script(
            "return document.querySelector('#picture img').naturalWidth > 100"
        )
    )


def test_it_works_by_keyboard_alone(page, browser):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    def press(*keys):
        ActionChains(browser).send_keys(*keys).perform()

    def focused():
        return browser.switch_to.active_element.get_attribute("aria-label") or ""

    for _ in range(80):
        press(Keys.TAB)
        if focused() == "conv2d1 num_filters":
            break
    else:
        raise AssertionError("the first filter number is not reached by Tab")
    press(Keys.ARROW_UP)
    page.until("#difference", "(+")
    assert focused() == "conv2d1 num_filters"
    for _ in range(20):
        press(Keys.TAB)
        if focused().endswith("parameters of conv2d1"):
            break
    press(Keys.ENTER)
    page.wait(lambda: page.one(f"{page.layer('conv2d1')} .inside").is_displayed())
    assert focused().endswith("parameters of conv2d1")


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wider_than_the_window_and_all_can_be_read(page, width, dark):
    page.resize(width, dark)
    page.one("#more summary").click()
    for box in page.all("#columns input"):
        box.click()
    page.one(f"{page.layer('dense')} .count").click()
    page.until(page.layer("dense"), "activations")
    wide = page.browser.execute_script(
        "return document.documentElement.scrollWidth - innerWidth"
    )
    assert wide <= 0
    contrast = page.browser.execute_script(CONTRAST)
    assert min(contrast.values()) >= 4.5, contrast


CONTRAST = """
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((part) => {
  const one = part / 255;
  return one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4;
}).reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
const behind = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    if (colour.length < 4 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
};
const found = {};
for (const selector of ["h1", ".label", ".symbols", ".type", ".result", ".count",
                        "summary", ".meaning", ".badge", "button", "dt",
                        ".behind h2", ".behind .label", ".trouble p"]) {
  const element = document.querySelector(selector);
  if (!element) continue;
  const [front, back] = [parse(getComputedStyle(element).color), behind(element)];
  const [dark, bright] = [light(front), light(back)].sort((a, b) => a - b);
  found[selector] = (bright + 0.05) / (dark + 0.05);
}
return found;
"""


def test_nothing_is_fetched_from_elsewhere(page, url):
    names = page.browser.execute_script(
        "return performance.getEntries().map((one) => one.name)"
    )
    fetched = [name for name in names if name.startswith("http")]
    assert fetched
    assert all(name.startswith(url) for name in fetched)


def test_a_server_that_has_gone_is_told(browser):
    server = make_server(by_hand.read_network(by_hand.NETWORKS["blog"]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = Page(browser, server.url)
    page.open()
    assert page.text("#total") == "160'362"
    server.shutdown()
    server.server_close()
    page.type(page.field("output num_units"), "26")
    page.until("#trouble", "The server does not answer")
    browser.get_log("browser")
