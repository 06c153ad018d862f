// Filters and pages the table of all articles, and draws the charts. Only visible rows are in the document.
const PAGE = 100;
const UNDATED = -1;
const KOREAN = 9 * 60;  // minutes
const get = (id) => document.getElementById(id);
const read = (id) => JSON.parse(get(id).textContent);

const all = read("listing-data");
all.ids = all.status.length ? all.ids.split("\n") : [];
all.titles = all.status.length ? all.titles.split("\n") : [];
let searched = null;  // the texts to search, made when the first word is typed
let shown = [];
let page = 0;

const two = (number) => String(number).padStart(2, "0");
function day(minutes, between) {
  const date = new Date((minutes + KOREAN) * 60000);
  return [date.getUTCFullYear(), two(date.getUTCMonth() + 1), two(date.getUTCDate())].join(between);
}
function clock(minutes) {
  const date = new Date((minutes + KOREAN) * 60000);
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
}
function address(n) {
  if (n in all.addresses) return all.addresses[n];
  const [oid, aid] = all.ids[n].split("_");
  return `https://n.news.naver.com/mnews/article/${oid}/${aid}`;
}
function file(n) {
  if (n in all.files) return all.files[n];
  return `articles/${all.times[n] === UNDATED ? "undated" : day(all.times[n], "/")}/${all.ids[n]}.md`;
}

function chosen() {
  const number = (id) => (get(id).value === "" ? null : Number(get(id).value));
  // A day as its first minute in Korea.
  const begin = (id) => (get(id).value ? Date.parse(`${get(id).value}T00:00:00+09:00`) / 60000 : null);
  return {
    words: get("words").value.normalize("NFC").toLowerCase().split(/\s+/).filter(Boolean),
    team: number("team"), publisher: number("publisher"), status: number("status"),
    from: begin("from"), to: begin("to"), order: get("order").value,
  };
}
function matches(n, want) {
  const minute = all.times[n];
  return (want.team === null || all.team[n].includes(want.team))
    && (want.publisher === null || all.publisher[n] === want.publisher)
    && (want.status === null || all.status[n] === want.status)
    && (want.from === null || minute >= want.from)
    && (want.to === null || (minute !== UNDATED && minute < want.to + 1440))
    && want.words.every((word) => searched[n].includes(word));
}
function filter() {
  const want = chosen();
  if (want.words.length && searched === null) {
    searched = all.titles.map((title, n) => `${title} ${all.publishers[all.publisher[n]]} ${all.ids[n]}`.toLowerCase());
  }
  shown = [];
  for (let n = 0; n < all.ids.length; n += 1) if (matches(n, want)) shown.push(n);
  if (want.order === "oldest") shown.reverse();
  const most = { copies: all.copies, revisions: all.revisions }[want.order];
  if (most) shown.sort((a, b) => (most[b] || 0) - (most[a] || 0));
  page = 0;
  show();
}

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
function link(text, href, attributes = {}) {
  return href && /^(https?:|[^:]*$)/.test(href) ? element("a", text, { href, ...attributes }) : element("span", text, attributes);
}
function row(n) {
  const title = document.createElement("td");
  title.append(link(all.titles[n] || all.ids[n], address(n), { lang: "ko", rel: "noreferrer" }));
  if (all.revisions[n]) title.append(" ", element("span", `revision ${all.revisions[n]}`, { class: "mark" }));
  if (all.copies[n]) title.append(" ", element("span", all.copies[n] === 1 ? "1 copy" : `${all.copies[n]} copies`, { class: "mark" }));
  const held = document.createElement("td");
  if (file(n)) held.append(link("file", `${all.way}/${file(n)}`));
  const time = all.times[n] === UNDATED ? "" : `${day(all.times[n], "-")} ${clock(all.times[n])}`;
  const made = document.createElement("tr");
  made.append(
    element("td", time), title, element("td", all.publishers[all.publisher[n]], { lang: "ko" }),
    element("td", all.team[n].map((team) => all.teams[team]).join(", "), { lang: "ko" }),
    element("td", all.statuses[all.status[n]]), held,
  );
  return made;
}
function show() {
  const pages = Math.max(Math.ceil(shown.length / PAGE), 1);
  get("articles").tBodies[0].replaceChildren(...shown.slice(page * PAGE, (page + 1) * PAGE).map(row));
  get("count").textContent = `${shown.length.toLocaleString("en")} of ${all.ids.length.toLocaleString("en")} articles`;
  get("where").textContent = `page ${(page + 1).toLocaleString("en")} of ${pages.toLocaleString("en")}`;
  get("back").disabled = page === 0;
  get("on").disabled = page + 1 >= pages;
}
function turn(by) {
  page += by;
  show();
  get("count").scrollIntoView();
}

function offer(id, words) {
  const sorted = words.map((word, n) => [word, n]).filter(([word]) => word).sort(([a], [b]) => a.localeCompare(b, "ko"));
  get(id).append(...sorted.map(([word, n]) => element("option", word, { value: n })));
}
offer("team", all.teams);
offer("publisher", all.publishers);
offer("status", all.statuses);
let waiting = 0;
get("filters").addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(filter, 80);
});
get("filters").addEventListener("reset", () => setTimeout(filter));
get("filters").addEventListener("submit", (event) => event.preventDefault());
get("back").addEventListener("click", () => turn(-1));
get("on").addEventListener("click", () => turn(1));
filter();

// -- charts, in the page's colours

const charts = read("charts-data");
function colours() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = { labelColor: colour("--quiet"), gridColor: colour("--line"), domainColor: colour("--line"), tickColor: colour("--line") };
  const font = getComputedStyle(document.body).fontFamily;
  return { background: null, font, axis, legend: { labelColor: colour("--text"), symbolType: "square" }, view: { stroke: null } };
}
async function draw() {
  for (const place of document.querySelectorAll("[data-chart]")) {
    const chart = charts[place.dataset.chart];
    if (!chart.data.values.length) place.textContent = "Nothing to draw.";
    else await window.vegaEmbed(place, chart, { mode: "vega-lite", actions: false, renderer: "svg", config: colours() });
  }
  document.documentElement.dataset.drawn = "yes";
}
// The library comes last: the table does not wait for it.
addEventListener("DOMContentLoaded", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
