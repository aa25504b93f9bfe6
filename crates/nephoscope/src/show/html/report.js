"use strict";
(() => {
  // Columns in the order of the tree, as html/data.rs writes them: an operation is its place in all of them. An
  // operation comes before those inside it, so every walk below is a loop over places.
  const data = JSON.parse(document.getElementById("data").textContent);
  const { parent, start, duration, flags } = data;
  const count = parent.length;
  const FAILED = 1, WITHOUT_STOP = 2, WITHOUT_START = 4;

  const ROW_HEIGHT = 24; // as in report.css
  const INDENTED_DEPTH = 20; // deeper operations show their depth as a number
  const COLOURS = 8;
  const SHOWN_CHARACTERS = 200000; // of one notification; more would stall the layout
  const SEARCH_DELAY_MS = 120;

  const depth = new Int32Array(count);
  const end = new Int32Array(count); // place behind the last operation inside
  const firstPoint = new Int32Array(count + 1);
  for (let at = 0; at < count; at++) {
    depth[at] = parent[at] < 0 ? 0 : depth[parent[at]] + 1;
    end[at] = at + 1;
    firstPoint[at + 1] = firstPoint[at] + data.points[at];
  }
  for (let at = count - 1; at >= 0; at--) {
    if (parent[at] >= 0) end[parent[at]] = Math.max(end[parent[at]], end[at]);
  }

  const element = (id) => document.getElementById(id);
  const grid = element("grid"), scroll = element("scroll"), extent = element("extent"), panel = element("panel");
  const search = element("search"), errors = element("errors");

  const folded = new Uint8Array(count);
  const matches = new Uint8Array(count); // 1: around a match, 2: a match
  let filtered = false;
  let shown = new Int32Array(count); // places of the rows, in order
  let rows = 0;
  let chosen = count > 0 ? 0 : -1;

  // Times and counts, as figures.rs shows them.
  function micros(us) {
    const sign = us < 0 ? "-" : "", size = Math.abs(us);
    const two = (number) => String(Math.floor(number)).padStart(2, "0");
    const parted = (unit) => `${Math.floor(size / unit)}.${two((size % unit) / (unit / 100))}`;
    if (size < 1e3) return `${sign}${size} µs`;
    if (size < 1e6) return `${sign}${parted(1e3)} ms`;
    if (size < 6e7) return `${sign}${parted(1e6)} s`;
    if (size < 36e8) return `${sign}${Math.floor(size / 6e7)} min ${two((size % 6e7) / 1e6)} s`;
    return `${sign}${Math.floor(size / 36e8)} h ${two((size % 36e8) / 6e7)} min`;
  }
  const counted = (number) => number.toLocaleString("en");

  function moment(us) {
    const date = new Date(Math.floor(us / 1000));
    if (data.earliest === null || Number.isNaN(date.getTime())) return "";
    const rest = ((us % 1000) + 1000) % 1000;
    return `${date.toISOString().slice(0, -1).replace("T", " ")}${String(rest).padStart(3, "0")} UTC`;
  }

  // What is shown.

  const haystacks = [];
  function haystack(at) {
    if (haystacks[at] === undefined) {
      const parts = [data.names[data.name[at]], data.services[data.service[at]] ?? "", data.subject[at], data.error[at],
        data.host[at], data.id[at]];
      for (let point = firstPoint[at]; point < firstPoint[at + 1]; point++) {
        parts.push(data.info[point].replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g,
          (_, unit, plain) => unit ? String.fromCharCode(parseInt(unit, 16)) : "nrtbf".includes(plain) ? " " : plain));
      }
      haystacks[at] = parts.join("\n").toLowerCase();
    }
    return haystacks[at];
  }

  function filter() {
    const wanted = search.value.trim().toLowerCase();
    filtered = wanted !== "" || errors.checked;
    matches.fill(0);
    let found = 0;
    if (filtered) {
      for (let at = count - 1; at >= 0; at--) {
        if ((!errors.checked || flags[at] & FAILED) && (wanted === "" || haystack(at).includes(wanted))) {
          matches[at] = 2;
          found++;
        }
        if (matches[at] && parent[at] >= 0) matches[parent[at]] ||= 1;
      }
    }
    element("found").textContent = filtered ? `${counted(found)} of ${counted(count)}` : "";
    layOut();
  }

  // Decides which operations have a row. A filter looks into what is folded, too.
  function layOut() {
    rows = 0;
    for (let at = 0; at < count;) {
      if (filtered && !matches[at]) {
        at = end[at];
        continue;
      }
      shown[rows++] = at;
      at = folded[at] && !filtered ? end[at] : at + 1;
    }
    extent.style.height = `${rows * ROW_HEIGHT}px`;
    grid.setAttribute("aria-rowcount", rows + 1);
    draw();
  }

  // The row of an operation, or the one before where it would be.
  function rowOf(at) {
    let low = 0, high = rows;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (shown[middle] <= at) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  // Only the rows in sight are elements; they are used again as one scrolls.

  const pool = [];
  function newRow() {
    const make = (name, role, into) => {
      const made = document.createElement("span");
      made.className = name;
      if (role) made.setAttribute("role", role);
      into.append(made);
      return made;
    };
    const row = document.createElement("div");
    row.setAttribute("role", "row");
    const label = make("label", "gridcell", row);
    const cells = { row, label };
    for (const name of ["fold", "deep", "name", "about"]) cells[name] = make(name, "", label);
    cells.service = make("service", "gridcell", row);
    cells.time = make("time", "gridcell", row);
    cells.bar = make("bar", "", cells.time);
    cells.figure = make("figure", "gridcell", row);
    extent.append(row);
    return cells;
  }

  function fill(cells, row) {
    const at = shown[row];
    const hasInside = end[at] > at + 1, isOpen = filtered || !folded[at], failed = flags[at] & FAILED;
    cells.row.id = `operation-${at}`;
    cells.row.className = `line row${failed ? " failed" : ""}${at === chosen ? " chosen" : ""}` +
      (filtered && matches[at] === 1 ? " around" : "");
    cells.row.style.top = `${row * ROW_HEIGHT}px`;
    cells.row.setAttribute("aria-rowindex", row + 2);
    cells.row.setAttribute("aria-level", depth[at] + 1);
    cells.row.setAttribute("aria-selected", at === chosen);
    if (hasInside) cells.row.setAttribute("aria-expanded", isOpen);
    else cells.row.removeAttribute("aria-expanded");

    cells.label.style.paddingLeft = `${Math.min(depth[at], INDENTED_DEPTH) * 14}px`;
    cells.fold.textContent = hasInside ? (isOpen ? "▾" : "▸") : "";
    cells.deep.hidden = depth[at] <= INDENTED_DEPTH;
    cells.deep.textContent = depth[at];
    cells.name.textContent = data.names[data.name[at]];
    describe(cells.about, at);
    cells.service.textContent = data.services[data.service[at]] ?? "";

    const total = Math.max(data.total, 1), from = Math.min(start[at], start[at] + duration[at]);
    const left = Math.min(100 * from / total, 100), width = Math.min(100 * Math.abs(duration[at]) / total, 100 - left);
    const colour = data.service[at] < 0 ? "" : ` s${data.service[at] % COLOURS}`;
    cells.bar.className = `bar${colour}${flags[at] & WITHOUT_STOP ? " open" : ""}`;
    cells.bar.style.left = `min(${left}%, calc(100% - 2px))`;
    cells.bar.style.width = `${width}%`;
    const lasted = flags[at] & (WITHOUT_STOP | WITHOUT_START) ? "–" : micros(duration[at]);
    cells.figure.textContent = lasted;
    cells.time.title = `${lasted} at ${micros(start[at])}`;
  }

  // Exception, oddities and subject of an operation.
  function describe(cell, at) {
    const parts = [];
    const add = (name, text) => {
      const part = document.createElement("span");
      part.className = name;
      part.textContent = text;
      parts.push(part);
    };
    if (flags[at] & FAILED) add("fault", `✗ ${data.error[at]}`);
    for (const oddity of oddities(at)) add("odd", oddity);
    cell.replaceChildren(...parts, data.subject[at]);
    cell.title = data.error[at] || data.subject[at];
  }

  function oddities(at) {
    const odd = [];
    if (flags[at] & WITHOUT_STOP) odd.push("unfinished");
    if (flags[at] & WITHOUT_START) odd.push("start is missing");
    if (duration[at] < 0) odd.push("stops before it starts");
    return odd;
  }

  function draw() {
    const first = Math.max(0, Math.floor(scroll.scrollTop / ROW_HEIGHT) - 4);
    const needed = Math.max(0, Math.min(rows - first, Math.ceil(scroll.clientHeight / ROW_HEIGHT) + 9));
    while (pool.length < needed) pool.push(newRow());
    for (let at = 0; at < pool.length; at++) {
      pool[at].row.hidden = at >= needed;
      if (at < needed) fill(pool[at], first + at);
      else pool[at].row.removeAttribute("id");
    }
    const row = chosen < 0 ? -1 : rowOf(chosen);
    if (row >= first && row < first + needed && shown[row] === chosen) {
      grid.setAttribute("aria-activedescendant", `operation-${chosen}`);
    } else {
      grid.removeAttribute("aria-activedescendant");
    }
  }

  let drawing = false;
  function drawSoon() {
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      draw();
    });
  }

  function choose(at) {
    chosen = at;
    const top = rowOf(at) * ROW_HEIGHT;
    if (top < scroll.scrollTop) scroll.scrollTop = top;
    const lowest = top + ROW_HEIGHT - scroll.clientHeight;
    if (lowest > scroll.scrollTop) scroll.scrollTop = lowest;
    draw();
    if (!panel.hidden) showDetails(at);
  }

  function fold(at, isFolded) {
    if (end[at] === at + 1 || filtered) return;
    folded[at] = isFolded;
    layOut();
  }

  function foldAll(isFolded) {
    folded.fill(isFolded);
    // The roots alone would say nothing.
    if (isFolded) for (let at = 0; at < count; at = end[at]) folded[at] = 0;
    while (chosen >= 0 && shownWithin(chosen)) chosen = parent[chosen];
    layOut();
    if (chosen >= 0) choose(chosen);
  }
  const shownWithin = (at) => parent[at] >= 0 && folded[parent[at]];

  // Details.

  function showDetails(at) {
    const list = document.createElement("dl");
    const tell = (term, told, name) => {
      if (told === "" || told === undefined) return;
      const key = document.createElement("dt"), value = document.createElement("dd");
      key.textContent = term;
      value.textContent = told;
      if (name) value.className = name;
      list.append(key, value);
    };
    if (flags[at] & FAILED) tell("Exception", data.error[at], "failed-text");
    tell("Noted", oddities(at).join(", "), "odd");
    tell("About", data.subject[at]);
    tell("Service", data.services[data.service[at]]);
    tell("Host", data.host[at]);
    if (!(flags[at] & (WITHOUT_STOP | WITHOUT_START))) tell("Duration", micros(duration[at]));
    if (!(flags[at] & WITHOUT_START)) tell("Start", clock(start[at]));
    if (!(flags[at] & WITHOUT_STOP)) tell("Stop", clock(start[at] + duration[at]));
    tell("Inside", end[at] > at + 1 ? `${counted(end[at] - at - 1)} operations` : "");
    tell("Trace id", data.id[at]);
    tell("Parent id", parent[at] < 0 ? above(at) : data.id[parent[at]]);

    const title = document.createElement("h2"), close = document.createElement("button");
    title.textContent = data.names[data.name[at]];
    close.className = "close";
    close.type = "button";
    close.textContent = "✕";
    close.setAttribute("aria-label", "Close the details");
    close.addEventListener("click", hideDetails);
    panel.replaceChildren(close, title, list);
    for (let point = firstPoint[at]; point < firstPoint[at + 1]; point++) {
      const name = document.createElement("h3"), info = document.createElement("pre");
      name.textContent = data.point[point];
      const text = indented(data.info[point]);
      info.textContent = text.length > SHOWN_CHARACTERS
        ? `${text.slice(0, SHOWN_CHARACTERS)}\n… ${counted(text.length - SHOWN_CHARACTERS)} more characters` : text;
      panel.append(name, info);
    }
    panel.scrollTop = 0;
    if (panel.hidden) {
      panel.hidden = false;
      draw();
    }
  }

  const clock = (us) => {
    const time = data.earliest === null ? "" : moment(data.earliest + us);
    return time === "" ? micros(us) : `${micros(us)} (${time})`;
  };

  // Parent id of a root: those are told in the order of the roots.
  function above(at) {
    let root = 0;
    for (let before = 0; before < at; before = end[before]) root++;
    return data.above[root];
  }

  function hideDetails() {
    panel.hidden = true;
    grid.focus();
    draw();
  }

  // JSON text with line breaks and blanks. It is not parsed: numbers stay as they were sent, and it may be nested
  // deeper than a parser could follow.
  function indented(text) {
    const out = [];
    let level = 0;
    const line = () => `\n${"  ".repeat(Math.min(level, 40))}`;
    for (let at = 0; at < text.length;) {
      const character = text[at];
      if (character === '"') {
        const behind = endOfString(text, at);
        out.push(readable(text.slice(at, behind)));
        at = behind;
        continue;
      }
      at++;
      if (character === "{" || character === "[") {
        while (text[at] === " ") at++;
        if (text[at] === "}" || text[at] === "]") {
          out.push(character, text[at++]);
        } else {
          level++;
          out.push(character, line());
        }
      } else if (character === "}" || character === "]") {
        level--;
        out.push(line(), character);
      } else if (character === ",") {
        out.push(",", line());
      } else if (character === ":") {
        out.push(": ");
      } else if (character !== " ") {
        out.push(character);
      }
    }
    return out.join("");
  }

  function endOfString(text, open) {
    let at = open + 1;
    while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
    return Math.min(at + 1, text.length);
  }

  // A JSON string with its letters instead of their codes, and with its line breaks as such.
  function readable(string) {
    if (!string.includes("\\")) return string;
    try {
      const lines = JSON.parse(string).split("\n");
      return `"${lines.map((line) => JSON.stringify(line).slice(1, -1)).join("\n")}"`;
    } catch {
      return string;
    }
  }

  // Input.

  function onKey(event) {
    if (chosen < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = rowOf(chosen), page = Math.max(1, Math.floor(scroll.clientHeight / ROW_HEIGHT) - 1);
    const go = (to) => rows > 0 && choose(shown[Math.max(0, Math.min(rows - 1, to))]);
    const isOpen = !folded[chosen] && end[chosen] > chosen + 1;
    const keys = {
      ArrowUp: () => go(row < 0 || shown[row] !== chosen ? row : row - 1),
      ArrowDown: () => go(row + 1),
      PageUp: () => go(row - page),
      PageDown: () => go(row + page),
      Home: () => go(0),
      End: () => go(rows - 1),
      ArrowLeft: () => isOpen && !filtered ? fold(chosen, 1) : parent[chosen] >= 0 && choose(parent[chosen]),
      ArrowRight: () => folded[chosen] && !filtered ? fold(chosen, 0) : isOpen && go(row + 1),
      Enter: () => showDetails(chosen),
      " ": () => fold(chosen, folded[chosen] ? 0 : 1),
    };
    if (Object.hasOwn(keys, event.key)) {
      event.preventDefault();
      keys[event.key]();
    }
  }

  extent.addEventListener("click", (event) => {
    const row = event.target.closest(".row");
    if (!row) return;
    const at = Number(row.id.slice("operation-".length));
    if (event.target.className === "fold" && end[at] > at + 1) {
      chosen = at;
      fold(at, folded[at] ? 0 : 1);
    } else {
      choose(at);
      showDetails(at);
    }
  });
  grid.addEventListener("keydown", onKey);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && event.target.tagName !== "INPUT") {
      event.preventDefault();
      search.select();
      search.focus();
    } else if (event.key === "Escape" && !panel.hidden && event.target !== search) {
      hideDetails();
    }
  });
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "ArrowDown") return;
    event.preventDefault();
    filter();
    const first = shown.subarray(0, rows).find((at) => !filtered || matches[at] === 2);
    if (first !== undefined) choose(first);
    grid.focus();
  });
  let timer;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(filter, SEARCH_DELAY_MS);
  });
  errors.addEventListener("change", filter);
  element("expand").addEventListener("click", () => foldAll(0));
  element("collapse").addEventListener("click", () => foldAll(1));
  scroll.addEventListener("scroll", drawSoon, { passive: true });
  new ResizeObserver(drawSoon).observe(scroll);

  for (let quarter = 0; quarter < 4; quarter++) {
    const tick = document.createElement("span");
    tick.style.left = `${quarter * 25}%`;
    tick.textContent = micros(Math.round(data.total * quarter / 4));
    element("axis").append(tick);
  }
  element("app").hidden = false;
  layOut();
})();
