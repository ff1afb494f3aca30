"use strict";

const report = JSON.parse(document.getElementById("report").textContent);
// What many rows have in common is there once: see to_html.
const shared = (index) => (index === null ? null : report.shared[index]);
for (const row of [...report.hosts, ...report.guests]) {
  row.system = shared(row.system);
  row.license = shared(row.license);
  row.problems = row.problems.map(shared);
}
for (const row of report.failover) row.nodes = shared(row.nodes);
const SVG = "http://www.w3.org/2000/svg";
// Both in the order in which they are sorted.
const VERDICTS = {
  attention: ["bad", "✕", "Attention"],
  not_read: ["warn", "?", "Not read"],
  unknown: ["warn", "?", "Not known"],
  activated: ["good", "✓", "Activated"],
  ready: ["good", "✓", "Ready"],
  not_applicable: ["none", "–", "Not applicable"],
};
const KINDS = { wrong: null, unknown: "not known", not_applicable: "AVMA does not apply" };
const OUTCOMES = {
  success: ["success", "activated"],
  denied: ["failure", "denied"],
  invalid_host: ["failure", "host invalid"],
  invalid_data: ["failure", "data invalid"],
  other: ["other", "other"],
};
// Rows of a table that are made at a time, as they come into view.
const ROWS = 150;
// Of the history: lanes at a time, and characters of a name.
const LANES = 25;
const NAME = 24;

// All text goes through here or through svg(), as text, never as HTML.
function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const number = new Intl.NumberFormat("en");
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const plural = (count, one, many = `${one}s`) => `${number.format(count)} ${count === 1 ? one : many}`;
const clock = (time) => time.slice(0, 16).replace("T", " ");
const section = (id) => document.getElementById(id);

function age(time) {
  const hours = (Date.parse(report.generated) - Date.parse(time)) / 3600000;
  if (hours < 1) return "within the hour before";
  return hours < 48 ? `${plural(Math.floor(hours), "hour")} before` : `${plural(Math.floor(hours / 24), "day")} before`;
}

function badge(kind, sign, text) {
  return el("span", { className: `badge ${kind}` }, `${sign} ${text}`);
}

const verdict = (item) => badge(...VERDICTS[item.verdict]);
const verdictOrder = (item) => Object.keys(VERDICTS).indexOf(item.verdict);
const small = (text) => (text ? el("small", {}, ...whole(text)) : null);
const when = (time) => (time ? [el("time", { dateTime: time }, clock(time)), small(age(time))] : []);

function named(host) {
  const [name, ...domain] = (host || "").split(".");
  return [name, small(domain.join("."))];
}

// How a guest was reached, where that was not over WinRM.
function reached(connection) {
  if (!connection || ["winrm", "psrp"].includes(connection.plugin)) return "";
  return connection.host ? `through ${connection.host}` : `over ${connection.plugin}`;
}

function windows(system) {
  if (!system) return [];
  const edition = [system.edition, system.core ? "Core" : "", system.evaluation ? "Evaluation" : ""].filter(Boolean).join(", ");
  return [system.name, small(edition)];
}

function problemList(problems) {
  return problems.map((item) =>
    el("details", { className: "problem" },
      el("summary", {}, ...whole(item.message)),
      el("p", {}, ...whole(item.remedy), " ", el("code", {}, [item.code, item.hresult].filter(Boolean).join(" ")))));
}

// A name that is longer than a line may break anywhere; others stay whole, as does a name with a hyphen in a sentence.
const long = (text) => el("span", { className: text && text.length > NAME ? "long" : "line" }, text);
const whole = (text) => text.split(/(\S*-\S*)/).map((part, index) => (index % 2 ? long(part) : part));

// Rows that are made as they come into view: make(row) gives the element of one.
function growing(body, make, columns) {
  let rows = [];
  let made = 0;
  const more = el("button", { type: "button", className: "button", onclick: () => grow() });
  const last = el("tr", { className: "more" }, el("td", { colSpan: columns }, more));
  const watcher = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) grow(); }, { rootMargin: "600px" });
  watcher.observe(last);

  function grow(count = ROWS) {
    const next = rows.slice(made, made + count).map(make);
    made += next.length;
    last.remove();
    body.append(...next);
    if (made < rows.length) {
      more.textContent = `Show more of ${number.format(rows.length)}`;
      body.append(last);
      // Observed anew, or it would not be told that it is still in view.
      watcher.unobserve(last);
      watcher.observe(last);
    }
  }

  return {
    show(wanted, empty) {
      rows = wanted;
      made = 0;
      body.replaceChildren(...(rows.length ? [] : [el("tr", {}, el("td", { colSpan: columns, className: "empty" }, empty))]));
      if (rows.length) grow();
    },
    showAll() { grow(rows.length); },
  };
}

const tables = [];

// A table whose columns sort, by none at first if sortedBy is null: {title, value(row) to sort by, cell(row) if that is not what to show, kind of cell, most if the most comes first}.
function sortedTable(columns, rows, { caption, sortedBy = 0, empty = "Nothing to show." }) {
  let column = sortedBy;
  let descending = false;
  let visible = null;
  const body = el("tbody", { role: "rowgroup" });
  const built = new Map();
  const orders = new Map();
  const headers = columns.map((item, index) =>
    el("th", { scope: "col", role: "columnheader", className: item.kind || "" }, el("button", { type: "button", className: "sort", onclick: () => sortBy(index) }, item.title)));
  const table = el("table", { role: "table" }, el("caption", { className: "unseen" }, caption),
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...headers)), body);
  const growth = growing(body, build, columns.length);
  tables.push(growth);

  function cells(row) {
    return columns.map((item, index) => {
      const value = item.cell ? item.cell(row) : [typeof item.value(row) === "number" ? number.format(item.value(row)) : item.value(row)];
      const first = index === 0;
      const cell = el(first ? "th" : "td", { className: item.kind || "", role: first ? "rowheader" : "cell", ...(first ? { scope: "row" } : {}) }, ...value.map((part) => part ?? ""));
      cell.dataset.title = item.title;
      if (!cell.textContent) cell.classList.add("blank");
      return cell;
    });
  }

  function build(row) {
    if (!built.has(row)) built.set(row, el("tr", { role: "row" }, ...cells(row)));
    return built.get(row);
  }

  function compare(one, other) {
    const [a, b] = [columns[column].value(one), columns[column].value(other)];
    const [noA, noB] = [a === null || a === undefined || a === "", b === null || b === undefined || b === ""];
    // What is not known comes last, whichever way.
    if (noA || noB) return noA - noB;
    const order = typeof a === "number" ? a - b : collator.compare(a, b);
    return (descending ? -order : order) || collator.compare(columns[0].value(one), columns[0].value(other));
  }

  // Sorted once for each column and direction; a filter only leaves rows out.
  function order() {
    const key = `${column} ${descending}`;
    if (!orders.has(key)) orders.set(key, column === null ? rows : [...rows].sort(compare));
    return orders.get(key);
  }

  function fill() {
    headers.forEach((header, index) => {
      if (index === column) header.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else header.removeAttribute("aria-sort");
    });
    const shown = visible ? order().filter((row) => visible.has(row)) : order();
    table.setAttribute("aria-rowcount", shown.length + 1);
    growth.show(shown, empty);
  }

  function sortBy(index) {
    descending = index === column ? !descending : Boolean(columns[index].most);
    column = index;
    fill();
  }

  fill();
  const frame = el("div", { className: "scroll tall cards", role: "region", tabIndex: 0 }, table);
  frame.setAttribute("aria-label", caption);
  return { frame, show(chosen) { visible = chosen.length === rows.length ? null : new Set(chosen); fill(); } };
}

function field(label, control) {
  return el("label", {}, label, control);
}

function choice(label, options, all) {
  const control = el("select", {}, el("option", { value: "" }, all), ...options.map(([value, text]) => el("option", { value }, text)));
  return { control, label: field(label, control) };
}

const distinct = (values) => [...new Set(values.filter(Boolean))].sort(collator.compare).map((value) => [value, value]);

function showSummary() {
  const { hosts, guests, failover_gaps: gaps } = report.summary;
  const times = report.guests.filter((guest) => guest.verdict === "activated" && guest.activation.time).map((guest) => guest.activation.time);
  const oldest = times.length ? times.reduce((a, b) => (a < b ? a : b)) : null;
  const tile = (kind, title, value, note) =>
    el("div", { className: `tile ${kind}` }, el("dt", {}, title), el("dd", {}, ...value), note ? el("dd", { className: "note" }, note) : null);
  const of = (part, all) => [number.format(part), " ", el("small", {}, `of ${number.format(all)}`)];
  section("summary").append(el("dl", { className: "tiles" },
    tile("good", "Guests proved activated", of(guests.activated, guests.total - guests.not_applicable),
      guests.not_applicable ? `${number.format(guests.not_applicable)} more to which AVMA does not apply` : null),
    tile(guests.attention ? "bad" : "good", "Guests that need attention", [number.format(guests.attention)]),
    tile(guests.not_read ? "warn" : "good", "Guests not read", [number.format(guests.not_read)],
      guests.not_read ? "Known from their hosts only" : null),
    tile(hosts.attention ? "bad" : "good", "Hosts ready to activate", of(hosts.ready, hosts.total)),
    tile(gaps ? "bad" : "good", "Failover gaps", [number.format(gaps)], gaps ? "A guest on a node that would not activate it" : null),
    tile("", "Oldest activation", [oldest ? clock(oldest).slice(0, 10) : "none"], oldest ? `${age(oldest)} this report` : null)));
  if (!report.clusters.length) return;
  section("summary").append(el("h3", {}, "Clusters"), sortedTable([
    { title: "Cluster", value: (row) => row.name, cell: (row) => [long(row.name)] },
    { title: "Nodes", value: (row) => row.nodes.length, cell: (row) => nodes(row.nodes) },
    { title: "Hosts ready", value: (row) => row.hosts.ready, cell: (row) => [`${row.hosts.ready} of ${row.nodes.length}`], kind: "number" },
    { title: "Guests", value: (row) => row.guests.total, kind: "number", most: true },
    { title: "Activated", value: (row) => row.guests.activated, kind: "number", most: true },
    { title: "Attention", value: (row) => row.guests.attention, kind: "number", most: true },
    { title: "Not read", value: (row) => row.guests.not_read, kind: "number", most: true },
    { title: "Failover gaps", value: (row) => row.failover_gaps, kind: "number", most: true },
  ], report.clusters, { caption: "Table of clusters" }).frame);
}

function nodes(list) {
  const up = list.filter((node) => node.state === "up").length;
  const others = list.filter((node) => node.state !== "up").map((node) => `${node.name} ${node.state}`).join(", ");
  return [`${up} of ${list.length} up`, small(others)];
}

function showProblems(filterGuests) {
  const kinds = new Map();
  const note = (item, what, name) => {
    if (!kinds.has(item.code)) kinds.set(item.code, { code: item.code, kind: item.kind, message: item.message, remedy: item.remedy, hosts: new Set(), guests: 0 });
    const kind = kinds.get(item.code);
    if (what === "host") kind.hosts.add(name);
    else kind.guests += 1;
  };
  report.cluster_problems.forEach((item) => item.hosts.forEach((host) => note(item, "host", host)));
  report.hosts.forEach((host) => host.problems.forEach((item) => note(item, "host", host.name)));
  report.guests.forEach((guest) => guest.problems.forEach((item) => note(item, "guest")));
  const rows = [...kinds.values()].map((row) => ({ ...row, machines: row.hosts.size + row.guests }));
  const rank = (row) => Object.keys(KINDS).indexOf(row.kind);
  rows.sort((one, other) => rank(one) - rank(other) || other.machines - one.machines || collator.compare(one.code, other.code));
  section("problems").append(sortedTable([
    { title: "Code", value: (row) => row.code, cell: (row) => [el("code", {}, row.code), small(KINDS[row.kind])] },
    { title: "For example, and what to do", value: (row) => row.message, cell: (row) => [...whole(row.message), small(row.remedy)], kind: "wide" },
    { title: "Hosts", value: (row) => row.hosts.size, most: true, cell: (row) => hostNames(row.hosts) },
    {
      title: "Guests", value: (row) => row.guests, most: true, kind: "number",
      cell: (row) => (row.guests ? [el("button", { type: "button", className: "link", onclick: () => filterGuests(row.code) },
        number.format(row.guests), el("span", { className: "unseen" }, ` guests with ${row.code}: show them`))] : [""]),
    },
    { title: "Machines", value: (row) => row.machines, most: true, kind: "number" },
  ], rows, { caption: "Table of problems", sortedBy: null, empty: "Nothing is known to be wrong." }).frame);
}

function hostNames(hosts) {
  const names = [...hosts].sort(collator.compare);
  const rest = names.length - 8;
  return [...whole(names.slice(0, 8).join(", ")), rest > 0 ? ` and ${number.format(rest)} more` : ""];
}

function license(item) {
  if (!item) return [];
  return [item.status.replaceAll("_", " "), small(item.channel), small(item.partial_product_key ? `key …${item.partial_product_key}` : "")];
}

function showHosts() {
  const guests = new Map();
  report.guests.forEach((guest) => guests.set(guest.host, (guests.get(guest.host) || 0) + 1));
  section("hosts").append(sortedTable([
    { title: "Host", value: (row) => row.name, cell: (row) => [long(row.name)] },
    { title: "Verdict", value: verdictOrder, cell: (row) => [verdict(row)] },
    { title: "Cluster", value: (row) => row.cluster, cell: (row) => [long(row.cluster)] },
    { title: "Windows", value: (row) => row.system && row.system.name, cell: (row) => windows(row.system) },
    { title: "Licence", value: (row) => row.license && row.license.status, cell: (row) => (row.backend === "azure_local" ? ["Azure Local"] : license(row.license)) },
    { title: "Activates", value: (row) => row.activates.length, cell: (row) => [row.activates.join(", ")] },
    { title: "Guests", value: (row) => guests.get(row.name) || 0, kind: "number", most: true },
    { title: "Problems", value: (row) => row.problems.length, most: true, cell: (row) => problemList(row.problems), kind: "wide" },
  ], report.hosts, { caption: "Table of hosts", sortedBy: 1 }).frame);
}

function showGuests() {
  const search = el("input", { type: "search", placeholder: "Name, host, Windows, key …" });
  const verdicts = choice("Verdict", Object.entries(VERDICTS).filter(([name]) => name !== "ready").map(([name, [, , text]]) => [name, text]), "All");
  const clusters = choice("Cluster", distinct(report.guests.map((guest) => guest.cluster)), "All");
  const hosts = choice("Runs on", distinct(report.guests.map((guest) => guest.host)), "All");
  const codes = choice("Problem", distinct(report.guests.flatMap((guest) => guest.problems.map((item) => item.code))), "Any or none");
  const count = el("output", {});
  const texts = new Map(report.guests.map((guest) => [guest, [
    guest.name, guest.machine, guest.fqdn, guest.host, guest.cluster, guest.state,
    guest.system && `${guest.system.name} ${guest.system.edition}`, guest.activation && guest.activation.host,
    guest.license && `${guest.license.channel} ${guest.license.partial_product_key}`, ...guest.problems.map((item) => `${item.code} ${item.message}`),
  ].join("\n").toLowerCase()]));
  const table = sortedTable([
    { title: "Guest", value: (row) => row.name, cell: (row) => [long(row.name), small([collator.compare(row.machine || row.name, row.name) ? row.machine : "", reached(row.connection)].filter(Boolean).join(", "))] },
    { title: "Verdict", value: verdictOrder, cell: (row) => [verdict(row)] },
    { title: "Runs on", value: (row) => row.host, cell: (row) => [long(row.host), small([row.cluster, row.state === "running" ? "" : row.state].filter(Boolean).join(", "))], kind: "line" },
    { title: "Windows", value: (row) => row.system && row.system.name, cell: (row) => windows(row.system) },
    { title: "Activated by host", value: (row) => row.activation && row.activation.host, cell: (row) => named(row.activation && row.activation.host), kind: "line" },
    { title: "Last activated", value: (row) => row.activation && row.activation.time, cell: (row) => when(row.activation && row.activation.time), kind: "line" },
    { title: "Licence", value: (row) => row.license && row.license.status, cell: (row) => license(row.license) },
    { title: "Problems", value: (row) => row.problems.length, most: true, cell: (row) => problemList(row.problems), kind: "wide" },
  ], report.guests, { caption: "Table of guests", sortedBy: 1 });

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = report.guests.filter((guest) =>
      (!verdicts.control.value || guest.verdict === verdicts.control.value)
      && (!clusters.control.value || guest.cluster === clusters.control.value)
      && (!hosts.control.value || guest.host === hosts.control.value)
      && (!codes.control.value || guest.problems.some((item) => item.code === codes.control.value))
      && words.every((word) => texts.get(guest).includes(word)));
    table.show(shown);
    count.textContent = shown.length === report.guests.length ? plural(shown.length, "guest") : `${number.format(shown.length)} of ${plural(report.guests.length, "guest")}`;
  }

  function clear() {
    search.value = "";
    [verdicts, clusters, hosts, codes].forEach((item) => { item.control.value = ""; });
    filter();
  }

  search.addEventListener("input", filter);
  [verdicts, clusters, hosts, codes].forEach((item) => item.control.addEventListener("change", filter));
  section("guests").append(
    el("div", { className: "tools", role: "search" }, field("Search", search), verdicts.label, clusters.label, hosts.label, codes.label,
      el("button", { type: "button", className: "button", onclick: () => { clear(); search.focus(); } }, "Show all"), count),
    table.frame);
  filter();
  return (code) => {
    clear();
    codes.control.value = code;
    filter();
    section("guests").scrollIntoView();
    codes.control.focus();
  };
}

function failoverCell(row, node, title) {
  const found = row.at.get(node);
  const cell = el("td", { role: "cell" });
  cell.dataset.title = title;
  if (!found) {
    cell.append(el("span", { className: "unseen" }, "may not own it"));
    cell.classList.add("blank");
    return cell;
  }
  const [kind, sign, text] = { activates: ["good", "✓", "yes"], gap: ["bad", "✕", "no"], unknown: ["warn", "?", "unknown"] }[found.status];
  cell.append(found.problem ? el("details", { className: "problem" },
    el("summary", {}, badge(kind, sign, text)), el("p", {}, found.problem.message, " ", found.problem.remedy)) : badge(kind, sign, text));
  if (found.name === row.host) {
    cell.className = "here";
    cell.append(small("runs here"));
  }
  return cell;
}

function showFailover() {
  if (!report.failover.length) {
    section("failover").append(el("p", {}, "No guest is on a failover cluster, or none is known well enough to tell."));
    return;
  }
  // Rows share their nodes: each list is indexed once.
  const indexed = new Map();
  const byCluster = new Map();
  for (const row of report.failover) {
    if (!indexed.has(row.nodes)) {
      indexed.set(row.nodes, { at: new Map(row.nodes.map((node) => [node.name, node])), gap: row.nodes.some((node) => node.status !== "activates") });
    }
    Object.assign(row, indexed.get(row.nodes));
    if (!byCluster.has(row.cluster)) byCluster.set(row.cluster, { rows: [], gaps: [], names: new Set() });
    const cluster = byCluster.get(row.cluster);
    cluster.rows.push(row);
    if (row.gap) cluster.gaps.push(row);
    row.nodes.forEach((node) => cluster.names.add(node.name));
  }
  const names = [...byCluster.keys()].sort(collator.compare);
  const chosen = el("select", {}, ...names.map((name) => {
    const count = byCluster.get(name).gaps.length;
    return el("option", { value: name }, count ? `${name} (${plural(count, "guest")} to look at)` : name);
  }));
  // The one with something to look at is the one to begin with.
  chosen.value = names.find((name) => byCluster.get(name).gaps.length) || names[0];
  const only = el("input", { type: "checkbox" });
  const count = el("output", {});
  const title = el("h3", {});
  const caption = el("caption", { className: "unseen" });
  const head = el("tr", { role: "row" });
  const body = el("tbody", { role: "rowgroup" });
  const frame = el("div", { className: "scroll tall cards", role: "region", tabIndex: 0 },
    el("table", { className: "matrix", role: "table" }, caption, el("thead", { role: "rowgroup" }, head), body));
  let nodes = [];
  let growth = null;

  function fill() {
    const { rows, gaps } = byCluster.get(chosen.value);
    const shown = only.checked ? gaps : rows;
    growth.show(shown, "Nothing to show.");
    count.textContent = `${number.format(shown.length)} of ${plural(rows.length, "guest")}`;
  }

  function choose() {
    const { rows, gaps, names: found } = byCluster.get(chosen.value);
    nodes = distinct([...found]).map(([name]) => name);
    only.checked = gaps.length > 0 && rows.length > 20;
    title.textContent = chosen.value;
    caption.textContent = `Guests of ${chosen.value} and whether each node activates them`;
    frame.setAttribute("aria-label", caption.textContent);
    head.replaceChildren(...["Guest", ...nodes].map((name) => el("th", { scope: "col", role: "columnheader" }, el("span", {}, name))));
    growth = growing(body, (row) => el("tr", { role: "row" }, el("th", { scope: "row", role: "rowheader" }, long(row.name)),
      ...nodes.map((node) => failoverCell(row, node, node))), nodes.length + 1);
    tables[failoverTable] = growth;
    fill();
  }

  const failoverTable = tables.push(null) - 1;
  only.addEventListener("change", fill);
  chosen.addEventListener("change", choose);
  choose();
  section("failover").append(title,
    el("div", { className: "tools" }, ...(names.length > 1 ? [field("Failover cluster", chosen)] : []),
      el("label", { className: "check" }, only, "Only guests that would lose it, or for which that is unknown"), count), frame);
}

// Whole steps between marks on the time axis, in hours.
const STEPS = [1, 3, 6, 12, 24, 48, 168, 336, 720, 2160, 8760];

function timeAxis(items, left, width) {
  const end = Date.parse(report.generated);
  const times = items.flatMap((item) => item.events.map((event) => Date.parse(event.time)));
  const begin = Math.min(end - 3600000, ...times.length ? [times.reduce((a, b) => Math.min(a, b))] : []);
  const x = (time) => left + ((time - begin) / (end - begin)) * width;
  // A label takes 90 px.
  const step = 3600000 * (STEPS.find((hours) => (end - begin) / (hours * 3600000) <= Math.min(8, width / 90)) || STEPS[STEPS.length - 1]);
  const ticks = [];
  for (let time = Math.ceil(begin / step) * step; time <= end; time += step) ticks.push(time);
  const label = (time) => { const text = new Date(time).toISOString(); return step < 86400000 ? clock(text).slice(5) : text.slice(0, 10); };
  return { x, ticks, label, begin, end };
}

function mark(event, x, y) {
  const [kind, text] = OUTCOMES[event.outcome] || OUTCOMES.other;
  const title = svg("title", {}, `${clock(event.time)}: ${[text, event.symbol || event.hresult].filter(Boolean).join(", ")}`);
  if (kind === "success") return svg("circle", { class: kind, cx: x, cy: y, r: 4.5 }, title);
  if (kind === "failure") return svg("path", { class: kind, d: `M${x - 5} ${y - 3.5}l1.5 -1.5l3.5 3.5l3.5 -3.5l1.5 1.5l-3.5 3.5l3.5 3.5l-1.5 1.5l-3.5 -3.5l-3.5 3.5l-1.5 -1.5l3.5 -3.5z` }, title);
  return svg("path", { class: kind, d: `M${x} ${y - 5.5}l5.5 5.5l-5.5 5.5l-5.5 -5.5z` }, title);
}

function drawLanes(lanes, axis, { left, width, right }) {
  const [lane, top] = [24, 26];
  const height = top + lanes.length * lane + 8;
  const picture = svg("svg", { viewBox: `0 0 ${left + width + right} ${height}`, width: left + width + right, height, role: "img" });
  picture.setAttribute("aria-label", `Activations of ${plural(lanes.length, "machine")} over time; the table below holds the same.`);
  for (const time of axis.ticks) {
    picture.append(svg("line", { class: "grid", x1: axis.x(time), x2: axis.x(time), y1: top - 6, y2: height }),
      svg("text", { x: axis.x(time), y: 13, "text-anchor": "middle" }, axis.label(time)));
  }
  lanes.forEach((item, index) => {
    const y = top + index * lane + lane / 2;
    const name = item.name.length > NAME ? `${item.name.slice(0, NAME - 1)}…` : item.name;
    picture.append(svg("line", { class: "lane", x1: left, x2: left + width, y1: y, y2: y }),
      svg("text", { class: "name", x: left - 12, y: y + 4, "text-anchor": "end" }, svg("title", {}, item.name), name));
    picture.append(...item.events.map((event) => mark(event, axis.x(Date.parse(event.time)), y)));
  });
  return picture;
}

function eventTable(lanes) {
  const rows = lanes.flatMap((item) => item.events.map((event) => ({ ...event, name: item.name })));
  return sortedTable([
    { title: "Machine", value: (row) => row.name },
    { title: "Time", value: (row) => row.time, cell: (row) => [el("time", { dateTime: row.time }, clock(row.time))] },
    { title: "Event", value: (row) => row.id, cell: (row) => [String(row.id)] },
    { title: "Outcome", value: (row) => row.outcome, cell: (row) => [(OUTCOMES[row.outcome] || OUTCOMES.other)[1]] },
    { title: "HRESULT", value: (row) => row.hresult, cell: (row) => [row.hresult, small(row.symbol)] },
  ], rows, { caption: "Table of events" }).frame;
}

function showHistory() {
  const search = el("input", { type: "search", placeholder: "Name" });
  const kind = el("select", {}, el("option", { value: "guests" }, "Guests"), el("option", { value: "hosts" }, "Hosts"));
  const failed = el("input", { type: "checkbox" });
  const count = el("output", {});
  const picture = el("div", { className: "scroll", role: "region", tabIndex: 0 });
  picture.setAttribute("aria-label", "Activations over time");
  const table = el("details", {}, el("summary", {}, "The same as a table"));
  const back = el("button", { type: "button", className: "button", onclick: () => turn(-LANES) }, "Previous");
  const forth = el("button", { type: "button", className: "button", onclick: () => turn(LANES) }, "Next");
  let first = 0;

  function draw() {
    const word = search.value.trim().toLowerCase();
    const all = report[kind.value].filter((item) => item.events.length && item.name.toLowerCase().includes(word)
      && (!failed.checked || item.events.some((event) => event.outcome !== "success")));
    const lanes = all.slice(first, first + LANES);
    const size = { left: 24 + 7.5 * Math.max(...lanes.map((item) => Math.min(item.name.length, NAME))), right: 40 };
    size.width = Math.max(160, Math.min(1100, picture.clientWidth - size.left - size.right));
    picture.replaceChildren(lanes.length ? drawLanes(lanes, timeAxis(all, size.left, size.width), size) : el("p", {}, "No events."));
    table.hidden = !lanes.length;
    table.replaceChildren(table.firstChild, ...(table.open && lanes.length ? [eventTable(lanes)] : []));
    back.disabled = first === 0;
    forth.disabled = first + LANES >= all.length;
    count.textContent = lanes.length ? `${number.format(first + 1)} to ${number.format(first + lanes.length)} of ${plural(all.length, kind.value.slice(0, -1))} with events` : "";
  }

  function turn(by) { first += by; draw(); }
  function restart() { first = 0; draw(); }

  search.addEventListener("input", restart);
  window.addEventListener("resize", draw);
  kind.addEventListener("change", restart);
  failed.addEventListener("change", restart);
  table.addEventListener("toggle", draw);
  const sign = (event, text) => el("li", {}, svgFrame(mark({ time: report.generated, outcome: event }, 8, 8)), text);
  section("history").append(
    el("div", { className: "tools" }, field("Search", search), field("Machines", kind), el("label", { className: "check" }, failed, "Only with failures"), back, forth, count),
    el("ul", { className: "legend" }, sign("success", "activated"), sign("denied", "denied, or host or data invalid"), sign("other", "other")),
    picture, table);
  // Once it is on the page, and has a width.
  draw();
}

function svgFrame(content) {
  content.replaceChildren();
  return svg("svg", { width: 16, height: 16, "aria-hidden": "true" }, content);
}

section("generated").textContent = `Read ${clock(report.generated)} UTC`;
showSummary();
const filterGuests = showGuests();
showProblems(filterGuests);
showHosts();
showFailover();
showHistory();

// On paper nothing can be opened.
let closed = [];
window.addEventListener("beforeprint", () => {
  tables.forEach((table) => table.showAll());
  closed = [...document.querySelectorAll("details:not([open])")].filter((item) => item.className === "problem");
  closed.forEach((item) => { item.open = true; });
});
window.addEventListener("afterprint", () => closed.forEach((item) => { item.open = false; }));
