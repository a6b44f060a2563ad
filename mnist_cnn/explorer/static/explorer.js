// The page asks and shows; every number on it comes from the server's rules.
"use strict";

const at = (id) => document.getElementById(id);
const SLIDERS = new Set(["filter_size", "pool_size"]);
const SLIDER_MOST = 31;

let state = null; // what is edited
let before = null; // what changes are counted from
let begun = null; // what the page started with
let examples = {};
let opened = new Set(); // layers whose tensors are shown, by name
let asked = 0; // how many tables were asked for: late answers do not count
let pictureUrl = "";

// Asking

async function ask(path, question) {
  const options = question && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(question),
  };
  let answer, data;
  try {
    answer = await fetch(path, options);
    data = await answer.json();
  } catch {
    throw new Error("The server does not answer: is mnist-cnn explore still running?");
  }
  if (!answer.ok) throw new Error(data.error);
  return data;
}

function later(action, wait) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, wait);
  };
}

function settings() {
  const columns = [...document.querySelectorAll("#columns input:checked")];
  return {
    columns: columns.map((box) => box.value),
    batch: Math.max(1, Math.trunc(Number(at("batch").value)) || 1),
    dtype: at("dtype").value || "float32",
  };
}

async function update() {
  const number = ++asked;
  let answer;
  try {
    answer = await ask("/api/table", { state, before, ...settings() });
  } catch (error) {
    if (number === asked) showTrouble(error.message);
    return;
  }
  if (number !== asked) return;
  showTrouble("");
  show(answer);
  writeAddress();
  verifySoon();
  drawSoon();
}

const updateSoon = later(update, 40);
const verifySoon = later(verify, 400);
const drawSoon = later(draw, 250);

async function verify() {
  const badge = at("verified");
  const number = asked;
  badge.className = "badge";
  badge.textContent = "verifying…";
  badge.title = "";
  let answer;
  try {
    answer = await ask("/api/verify", { state });
  } catch (error) {
    answer = { available: false, text: error.message };
  }
  if (number !== asked) return;
  badge.title = answer.text;
  if (!answer.available) {
    badge.textContent = `not verified: ${answer.text}`;
  } else {
    badge.className = `badge ${answer.agrees ? "good" : "bad"}`;
    badge.textContent = answer.agrees
      ? "✓ verified against Lasagne"
      : "✗ differs from Lasagne";
  }
}

async function draw() {
  const picture = at("picture");
  if (!picture.open) return;
  const image = picture.querySelector("img");
  try {
    const { text } = await ask("/api/export", { state, format: "svg", ...settings() });
    URL.revokeObjectURL(pictureUrl);
    pictureUrl = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    image.src = pictureUrl;
    image.alt = `The network as a picture: ${at("total").textContent} parameters`;
  } catch {
    image.removeAttribute("src");
    image.alt = "There is no picture of a network that cannot be.";
  }
}

// Showing

function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

function showTrouble(message) {
  at("trouble").textContent = message;
  at("trouble").hidden = !message;
}

function show(answer) {
  at("total").textContent = answer.total;
  at("difference").textContent = answer.difference && `(${answer.difference})`;
  at("release").textContent = `rules of Lasagne ${answer.lasagne}`;
  document.title = `${answer.total} learnable parameters`;
  at("spoken").textContent = answer.refused
    ? answer.refused.message
    : `${answer.total} parameters ${answer.difference}`;
  showRefusal(answer.refused);
  const list = at("layers");
  answer.layers.forEach((layer, index) => {
    let item = list.children[index];
    if (!item) {
      item = makeItem(index);
      list.append(item);
    }
    showLayer(item, layer, index, answer);
  });
  while (list.children.length > answer.layers.length) list.lastChild.remove();
  const units = answer.columns.map((one) => `${one.title}: ${one.unit}`);
  at("notes").replaceChildren(
    ...[...answer.notes, ...units].map((note) => make("li", { textContent: note })),
  );
}

function showRefusal(refused) {
  const section = at("refused");
  section.hidden = !refused;
  if (!refused) return;
  const lines = refused.reasons.length ? refused.reasons : [refused.message];
  section.replaceChildren(...lines.map((line) => make("p", { textContent: line })));
}

function makeItem(index) {
  const item = make("li", { className: "layer" });
  item.append(
    makeWhat(item, index),
    make("fieldset", { className: "fields" }),
    make("div", { className: "size" }),
    makeParameters(item, index),
    make("dl", { className: "cells" }),
    make("p", { className: "reason" }),
    make("div", { className: "inside", id: `inside-${index}` }),
  );
  return item;
}

function makeWhat(item, index) {
  const after = make("button", { type: "button", textContent: "Insert…" });
  after.addEventListener("click", () => openInsert(index, item.layer.name));
  const away = make("button", { type: "button", textContent: "Remove" });
  away.addEventListener("click", () => removeLayer(index));
  return make(
    "div",
    { className: "what" },
    make("h2"),
    make("span", { className: "type" }),
    make("div", { className: "change-layers" }, after, away),
  );
}

function showWhat(place, layer, index) {
  place.querySelector("h2").textContent = `${index} ${layer.name}`;
  place.querySelector(".type").textContent = layer.type + (layer.is_new ? ", new" : "");
  const [after, away] = place.querySelectorAll("button");
  after.setAttribute("aria-label", `Insert after ${layer.name}`);
  away.setAttribute("aria-label", `Remove ${layer.name}`);
}

// Made once, so that a click is never lost to a change of the numbers around it.
function makeParameters(item, index) {
  const count = make("button", {
    type: "button",
    className: "count",
    title: "Show the tensors behind it, and how the row comes about",
  });
  count.setAttribute("aria-controls", `inside-${index}`);
  count.addEventListener("click", () => {
    const { name } = item.layer;
    if (!opened.delete(name)) opened.add(name);
    count.setAttribute("aria-expanded", String(opened.has(name)));
    showInside(part(item, "inside"), item.layer);
  });
  return make(
    "div",
    { className: "parameters" },
    make("span", { className: "label", textContent: "parameters" }),
    make("span", { className: "untold", textContent: "cannot be told" }),
    make("code", { className: "symbols" }),
    make("code", { className: "numbers" }),
    count,
    " ",
    make("span", { className: "change" }),
  );
}

function part(item, name) {
  return item.querySelector(`:scope > .${name}`);
}

function showLayer(item, layer, index, answer) {
  const refused = answer.refused;
  const changed = Boolean(layer.size_before || layer.difference || layer.is_new);
  item.classList.toggle("changed", changed);
  item.classList.toggle("behind", !layer.known);
  item.classList.toggle(
    "cause",
    Boolean(layer.impossible?.length || refused?.layers.includes(layer.name)),
  );
  item.layer = layer;
  item.dataset.name = layer.name;
  showWhat(part(item, "what"), layer, index);
  showFields(part(item, "fields"), layer, index);
  showSize(part(item, "size"), layer);
  showParameters(part(item, "parameters"), layer);
  const cells = (layer.cells ?? []).map((cell, column) => {
    const term = make("dt", { textContent: answer.columns[column].title });
    const shown = cell.formula ? `${cell.formula} = ${cell.text}` : cell.text;
    const value = make("dd", { textContent: shown, title: cell.why });
    return cell.text ? make("div", {}, term, value) : null;
  });
  part(item, "cells").replaceChildren(...cells.filter(Boolean));
  const reasons = [...(layer.impossible ?? [])];
  if (layer.unknown_because) reasons.push(`Not known: ${layer.unknown_because}.`);
  part(item, "reason").textContent = reasons.join(" ");
  part(item, "reason").hidden = !reasons.length;
  showInside(part(item, "inside"), layer);
}

function showSize(place, layer) {
  const label = make("span", { className: "label", textContent: "size" });
  if (!layer.known) {
    place.replaceChildren(label, make("span", { textContent: "cannot be told" }));
    return;
  }
  const equations = layer.size_equations.map((text) =>
    make("code", { className: "symbols", textContent: text }),
  );
  const was = layer.size_before && `was ${layer.size_before}`;
  place.replaceChildren(
    label,
    ...equations,
    make("span", { className: "result", textContent: layer.size || "one number" }),
    " ",
    make("span", { className: "change", textContent: was ?? "" }),
  );
}

function showParameters(place, layer) {
  const count = place.querySelector(".count");
  const hasFormula = layer.known && !layer.share_is_zero;
  const isSymbolic = hasFormula && layer.symbols.replaceAll(" ", "") !== layer.numbers;
  const was = layer.difference ? `${layer.difference} (was ${layer.parameters_before})` : "";
  place.querySelector(".symbols").textContent = isSymbolic ? layer.symbols : "";
  place.querySelector(".numbers").textContent = hasFormula ? `${layer.numbers} = ` : "";
  place.querySelector(".change").textContent = was;
  place.querySelector(".untold").hidden = layer.known;
  count.hidden = !layer.known;
  count.textContent = layer.parameters ?? "";
  count.setAttribute("aria-expanded", String(opened.has(layer.name)));
  count.setAttribute("aria-label", `${layer.parameters} parameters of ${layer.name}`);
}

function showInside(place, layer) {
  place.hidden = !layer.known || !opened.has(layer.name);
  if (place.hidden) return;
  const tensors = layer.tensors.map((tensor) => {
    const note = tensor.note && ` (${tensor.note})`;
    const shown = `${tensor.name} ${tensor.text}${note}`;
    return make("li", {}, make("code", { textContent: shown }));
  });
  const steps = layer.steps.map((step) =>
    make(
      "p",
      { textContent: step.words },
      step.equation ? make("span", { className: "mono", textContent: step.equation }) : "",
      step.meanings
        ? make("span", { className: "meaning", textContent: `with ${step.meanings}` })
        : "",
    ),
  );
  const list = tensors.length ? make("ul", {}, ...tensors) : make("p", {}, "No tensors.");
  place.replaceChildren(list, make("div", {}, ...steps));
}

// Editing

function showFields(place, layer, index) {
  const signature = JSON.stringify([
    layer.name,
    layer.fields.map((one) => [
      one.keyword,
      one.kind,
      Array.isArray(one.value) ? one.value.length : 0,
    ]),
  ]);
  if (place.dataset.signature !== signature) {
    place.dataset.signature = signature;
    place.setAttribute("aria-label", `Numbers of ${layer.name}`);
    place.replaceChildren(...layer.fields.map((one) => makeField(one, layer, index)));
  }
  layer.fields.forEach((one, position) => fill(place.children[position], one));
}

function makeField(field, layer, index) {
  const { keyword, kind } = field;
  const name = `${layer.name} ${keyword}`;
  const box = make("div", { className: `field ${kind}` });
  const change = (value) => edit(index, keyword, kind, value);
  if (kind === "flag" || kind === "none") {
    const input = make("input", { type: "checkbox" });
    input.addEventListener("change", () => change(input.checked));
    const text = kind === "none" ? { b: "bias" }[keyword] ?? keyword : keyword;
    const label = make("label", { className: "check" }, input, text);
    input.setAttribute("aria-label", `${layer.name} ${text}`);
    box.append(make("span", { className: "label", textContent: " " }), label);
    return box;
  }
  box.append(make("span", { className: "label", textContent: keyword }));
  if (kind === "text" || kind === "other") {
    const input = make("input", { type: "text", spellcheck: false });
    if (keyword === "stride") input.placeholder = "as the pool";
    input.setAttribute("aria-label", name);
    input.addEventListener("input", () => change(readValue(input.value)));
    box.append(input);
    return box;
  }
  const values = kind === "number" ? [field.value] : field.value;
  const inputs = values.map((_, axis) => {
    const input = make("input", { type: "number", step: 1 });
    const which = values.length > 1 ? `, axis ${axis}` : "";
    input.setAttribute("aria-label", `${name}${which}`);
    if (values[axis] === null) input.placeholder = "any";
    input.addEventListener("input", () => {
      if (!input.checkValidity()) return;
      change(inputs.map((one) => (one.value === "" ? null : Number(one.value))));
    });
    return input;
  });
  box.append(...inputs);
  if (SLIDERS.has(keyword)) {
    const slider = make("input", { type: "range", min: 1, max: SLIDER_MOST });
    slider.setAttribute("aria-label", `${name}, all axes`);
    slider.addEventListener("input", () => {
      inputs.forEach((one) => (one.value = slider.value));
      change(inputs.map(() => Number(slider.value)));
    });
    box.append(slider);
  }
  return box;
}

function fill(box, field) {
  const values = Array.isArray(field.value) ? field.value : [field.value];
  const inputs = [...box.querySelectorAll("input:not([type=range])")];
  if (field.kind === "flag" || field.kind === "none") {
    inputs[0].checked = Boolean(field.value);
  } else if (field.kind === "text" || field.kind === "other") {
    if (document.activeElement !== inputs[0]) inputs[0].value = writeValue(field.value);
  } else {
    inputs.forEach((input, axis) => {
      const text = values[axis] === null ? "" : String(values[axis]);
      if (document.activeElement !== input || input.value === "") input.value = text;
    });
    const slider = box.querySelector("input[type=range]");
    if (slider && document.activeElement !== slider) {
      slider.max = Math.max(SLIDER_MOST, ...values);
      slider.value = Math.max(...values);
    }
  }
}

function writeValue(value) {
  if (value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function readValue(text) {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  try {
    return JSON.parse(trimmed);
  } catch {
    return trimmed;
  }
}

function edit(index, keyword, kind, value) {
  const keywords = state.layers[index][1];
  if (kind === "number") {
    if (value[0] === null) return;
    [keywords[keyword]] = value;
  } else if (kind === "none") {
    if (value) delete keywords[keyword];
    else keywords[keyword] = null;
  } else if (value === null && keyword === "pad") {
    delete keywords[keyword];
  } else {
    keywords[keyword] = value;
  }
  updateSoon();
}

// Layers put in and taken out

let insertAfter = 0;

function openInsert(index, name) {
  insertAfter = index;
  at("insert-title").textContent = `Insert after ${name}`;
  at("insert-trouble").hidden = true;
  at("words").value = "";
  at("insert").showModal();
  at("words").focus();
}

async function insertLayers() {
  try {
    await editLayers({ after: insertAfter, text: at("words").value });
    at("insert").close();
    focusLayer(insertAfter + 1);
  } catch (error) {
    at("insert-trouble").textContent = error.message;
    at("insert-trouble").hidden = false;
  }
}

async function editLayers(question) {
  const answer = await ask("/api/edit", { state, ...question });
  state = answer.state;
  await update();
}

async function removeLayer(index) {
  try {
    await editLayers({ remove: index });
    focusLayer(index);
  } catch (error) {
    showTrouble(error.message);
  }
}

// So that who works by keyboard goes on where the change was made.
function focusLayer(index) {
  const items = at("layers").children;
  items[Math.min(index, items.length - 1)]?.querySelector("button").focus();
}

// Networks from elsewhere

function load(given, isStart) {
  state = structuredClone(given);
  before = structuredClone(given);
  if (isStart) begun = structuredClone(given);
  opened = new Set();
  at("layers").replaceChildren();
  update();
}

function readAddress() {
  const match = /^#net=(.+)$/.exec(location.hash);
  if (!match) return null;
  try {
    const given = JSON.parse(decodeURIComponent(match[1]));
    return Array.isArray(given.layers) ? given : null;
  } catch {
    return null;
  }
}

function writeAddress() {
  const text = encodeURIComponent(JSON.stringify(state));
  history.replaceState(null, "", `#net=${text}`);
}

async function readText() {
  const trouble = at("text-trouble");
  const which = at("which");
  trouble.hidden = true;
  const question = { text: at("text").value };
  if (!which.hidden) question.name = at("name").value;
  try {
    const answer = await ask("/api/read", question);
    if (answer.names) {
      at("name").replaceChildren(
        ...answer.names.map((name) => make("option", { value: name, textContent: name })),
      );
      which.hidden = false;
      at("name").focus();
      return;
    }
    at("dialog").close();
    load(answer.state, true);
    at("layers").focus();
  } catch (error) {
    trouble.textContent = error.message;
    trouble.hidden = false;
  }
}

async function save() {
  try {
    const format = at("format").value;
    const question = { state, format, parameters: true, ...settings() };
    const { text, file } = await ask("/api/export", question);
    const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    const link = make("a", { href: url, download: file });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  } catch (error) {
    showTrouble(error.message);
  }
}

async function share() {
  writeAddress();
  try {
    await navigator.clipboard.writeText(location.href);
    at("share").textContent = "Copied";
  } catch {
    at("share").textContent = "See the address line";
  }
  setTimeout(() => (at("share").textContent = "Copy link"), 2000);
}

async function begin() {
  let start;
  try {
    start = await ask("/api/start");
  } catch (error) {
    showTrouble(error.message);
    return;
  }
  examples = start.examples;
  const options = (names) =>
    names.map((name) => make("option", { value: name, textContent: name }));
  at("example").append(...options(Object.keys(examples)));
  at("format").append(...options(start.formats));
  at("dtype").append(...options(start.dtypes));
  at("dtype").value = "float32";
  at("columns").append(
    ...start.columns.map((name) => {
      const box = make("input", { type: "checkbox", value: name });
      box.addEventListener("change", updateSoon);
      return make("label", { className: "check" }, box, ` ${name}`);
    }),
  );
  load(readAddress() ?? start.state, true);
}

at("example").addEventListener("change", (event) => {
  if (event.target.value) load(examples[event.target.value], true);
  event.target.value = "";
});
at("paste").addEventListener("click", () => {
  at("which").hidden = true;
  at("text-trouble").hidden = true;
  at("dialog").showModal();
  at("text").focus();
});
at("put").addEventListener("click", insertLayers);
at("words").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  insertLayers();
});
at("text").addEventListener("input", () => (at("which").hidden = true));
at("read").addEventListener("click", readText);
at("back").addEventListener("click", () => load(begun, false));
at("keep").addEventListener("click", () => {
  before = structuredClone(state);
  update();
});
at("share").addEventListener("click", share);
at("export").addEventListener("click", save);
at("batch").addEventListener("input", updateSoon);
at("dtype").addEventListener("change", updateSoon);
at("picture").addEventListener("toggle", draw);
addEventListener("hashchange", () => {
  const given = readAddress();
  if (given && JSON.stringify(given) !== JSON.stringify(state)) load(given, true);
});
begin();
