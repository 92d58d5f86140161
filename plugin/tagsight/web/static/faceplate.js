"use strict";
// The faceplate: draws what the server tells, says itself when it hears nothing, and sends what the operator does.
(() => {
  const given = JSON.parse(document.getElementById("given").textContent);
  const text = given.words;
  const STALE_MS = 12000;
  const NO_MORE = 4401;
  const query = new URLSearchParams(location.search);
  const token = query.get("token") || "";
  const suffix = token ? "?token=" + encodeURIComponent(token) : "";
  const path = "faceplate/" + encodeURIComponent(given.asset) + suffix;
  const find = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";

  let shown = null;
  let chosen = query.get("model") || "";
  let role = "";
  let heard = performance.now();
  let heardAt = new Date();
  let wait = 500;
  let bearer = "";
  let user = given.user;
  let denied = "";

  // --- numbers and times ---
  const number = (value, digits) => {
    if (value === null || value === undefined) return "–";
    const size = Math.abs(value);
    if (size === 0) return "0";
    const places = digits !== undefined ? digits : size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3;
    const plain = size >= 1e6 || (size < 1e-3 && size > 0) ? value.toPrecision(3) : value.toFixed(places);
    return plain.replace(".", given.decimal);
  };
  const two = (value) => String(value).padStart(2, "0");
  const clock = (ms) => {
    const when = new Date(ms);
    const time = two(when.getHours()) + ":" + two(when.getMinutes());
    if (when.toDateString() === new Date().toDateString()) return time;
    return given.language === "de"
      ? two(when.getDate()) + "." + two(when.getMonth() + 1) + ". " + time
      : when.getFullYear() + "-" + two(when.getMonth() + 1) + "-" + two(when.getDate()) + " " + time;
  };

  // --- making elements: text is always text ---
  const element = (name, properties, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(properties || {})) {
      if (key in made && key !== "list") made[key] = value; else made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  };
  const drawing = (name, attributes, words) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
    if (words !== undefined) made.textContent = words;
    return made;
  };
  const path2 = (points) => {
    let line = "";
    let down = false;
    for (const point of points) {
      if (point === null) { down = false; continue; }
      line += (down ? "L" : "M") + point[0].toFixed(1) + " " + point[1].toFixed(1);
      down = true;
    }
    return line;
  };

  // --- NE 107: each state has its shape and letter, so that colour is never alone ---
  const SHAPES = {
    0: ["M12 3a9 9 0 1 0 0.01 0z", ""],
    1: ["M3 3h18v18H3z", "F"],
    2: ["M12 2L23 21H1z", "C"],
    3: ["M12 1L23 12 12 23 1 12z", "S"],
    4: ["M12 2L22 8v8L12 22 2 16V8z", "M"],
  };
  const drawSymbol = (state) => {
    const [shape, letter] = SHAPES[state] || SHAPES[2];
    find("symbol").replaceChildren(
      drawing("path", { d: shape, class: "shape" }),
      drawing("text", { x: 12, y: state === 2 ? 18 : 16 }, letter),
    );
  };

  const drawGauge = (model) => {
    const top = 2 * model.limit;
    const at = (value) => 200 * Math.max(0, Math.min(1, value / top));
    const parts = [drawing("rect", { class: "track", x: 0, y: 4, width: 200, height: 14 })];
    if (model.score !== null) {
      const over = model.score > model.limit;
      const width = at(model.score);
      parts.push(drawing("rect", { class: "band", x: 0, y: 4, width: Math.min(width, at(model.limit)), height: 14 }));
      if (over) {
        const colour = model.alarm ? "#2f6fd0" : "#ffe14d";
        parts.push(drawing("rect", { fill: colour, x: at(model.limit), y: 4, width: width - at(model.limit), height: 14 }));
      }
    }
    parts.push(drawing("path", { class: "mark", d: "M100 0V22" }));
    find("gauge").replaceChildren(...parts);
  };

  // --- a tag as a bar: band in darker grey, expected as a line, actual as a point ---
  const span = (tag) => {
    const values = [tag.actual, tag.expected, tag.lower, tag.upper].filter((one) => one !== null);
    if (!values.length) return null;
    const middle = tag.expected !== null ? tag.expected : values[0];
    const half = Math.max(...values.map((one) => Math.abs(one - middle)), 1e-9) * 1.15;
    return [middle - half, middle + half];
  };
  const drawBar = (tag) => {
    const bar = drawing("svg", { viewBox: "0 0 216 20", "aria-hidden": "true", preserveAspectRatio: "none" });
    const range = span(tag);
    bar.append(drawing("rect", { class: "track", x: 0, y: 5, width: 216, height: 10 }));
    if (!range) return bar;
    const at = (value) => 8 + (200 * (value - range[0])) / (range[1] - range[0]);
    if (tag.lower !== null && tag.upper !== null) {
      bar.append(drawing("rect", { class: "band", x: at(tag.lower), y: 5, width: Math.max(1, at(tag.upper) - at(tag.lower)), height: 10 }));
    }
    if (tag.expected !== null) bar.append(drawing("path", { class: "mark", d: `M${at(tag.expected)} 1V19` }));
    if (tag.actual !== null) {
      const x = at(tag.actual);
      bar.append(drawing("path", { class: "point", d: `M${x} 0L${x + 7} 10L${x} 20L${x - 7} 10z` }));
    }
    return bar;
  };
  const drawTags = (model) => {
    const rows = model.tags.map((tag) => {
      const said = `${tag.role}: ${text.actual} ${number(tag.actual)} ${tag.unit}, ${text.expected} ${number(tag.expected)} ${tag.unit}`
        + (tag.outside ? `, ${tag.actual > tag.upper ? text.above : text.below}` : "")
        + (tag.share !== null ? `, ${text.share} ${number(tag.share, 0)} %` : "");
      const mark = tag.outside ? (tag.actual > tag.upper ? "▲ " : "▼ ") : "";
      const numbers = element("span", { className: "numbers" },
        element("b", {}, mark + number(tag.actual)), element("small", {}, " / " + number(tag.expected) + " " + tag.unit));
      const row = element("button", { type: "button", className: "tag" + (tag.outside ? " outside" : ""),
        title: tag.description ? `${tag.description}. ${said}` : said, "aria-label": said },
        element("span", { className: "name" }, tag.role), drawBar(tag), numbers);
      row.setAttribute("aria-pressed", String(tag.role === role));
      row.addEventListener("click", () => { role = role === tag.role ? "-" : tag.role; draw(); });
      return element("div", { role: "listitem", className: "item" }, row);
    });
    const held = document.activeElement && document.activeElement.classList.contains("tag")
      ? [...find("tags").querySelectorAll(".tag")].indexOf(document.activeElement) : -1;
    find("tags").replaceChildren(...rows);
    if (held >= 0 && rows[held]) rows[held].firstChild.focus();
  };

  // --- the trend: of a tag with its expected band, or of the score against its limit ---
  const drawTrend = (model) => {
    const trend = model.trend;
    const picture = find("trend");
    const box = picture.getBoundingClientRect();
    const width = Math.max(120, Math.round(box.width)) || 180;
    const height = Math.max(60, Math.round(box.height)) || 92;
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const tag = model.tags.find((one) => one.role === role);
    const of = tag ? trend.roles[role] : null;
    const series = of ? [of.actual, of.expected, of.lower, of.upper] : [trend.score];
    const values = series.flat().filter((one) => one !== null);
    const title = of ? `${role}${tag.unit ? " (" + tag.unit + ")" : ""}` : text.score;
    if (trend.t.length < 2 || !values.length) {
      find("trend-title").textContent = title;
      picture.replaceChildren(drawing("text", { x: width / 2, y: height / 2, "text-anchor": "middle" }, text.no_data));
      return;
    }
    let low = Math.min(...values);
    let high = Math.max(...values);
    if (!of) { low = 0; high = Math.max(high, model.limit * 1.2); }
    const room = (high - low) * 0.06 || Math.abs(high) * 0.05 || 1;
    low -= of ? room : 0; high += room;
    const first = trend.t[0];
    const last = trend.t[trend.t.length - 1];
    const bottom = height - 11;
    const x = (ms) => 2 + ((width - 4) * (ms - first)) / (last - first);
    const y = (value) => 2 + (bottom - 4) * (1 - (value - low) / (high - low));
    const points = (found) => found.map((value, index) => (value === null ? null : [x(trend.t[index]), y(value)]));
    const parts = [];
    if (of) {
      let run = [];
      const fill = () => {
        if (run.length > 1) {
          const up = run.map((i) => `${x(trend.t[i]).toFixed(1)} ${y(of.upper[i]).toFixed(1)}`);
          const down = run.slice().reverse().map((i) => `${x(trend.t[i]).toFixed(1)} ${y(of.lower[i]).toFixed(1)}`);
          parts.push(drawing("path", { class: "range", d: "M" + up.concat(down).join("L") + "z" }));
        }
        run = [];
      };
      trend.t.forEach((_, i) => { if (of.upper[i] !== null && of.lower[i] !== null) run.push(i); else fill(); });
      fill();
      parts.push(drawing("path", { class: "wanted", d: path2(points(of.expected)) }));
      parts.push(drawing("path", { class: "line", d: path2(points(of.actual)) }));
    } else {
      parts.push(drawing("path", { class: "alarm-limit", d: `M2 ${y(model.limit)}H${width - 2}` }));
      parts.push(drawing("path", { class: "line", d: path2(points(trend.score)) }));
    }
    parts.push(drawing("text", { x: 3, y: height - 2 }, clock(first)));
    parts.push(drawing("text", { x: width - 3, y: height - 2, "text-anchor": "end" }, clock(last)));
    parts.push(drawing("text", { x: 3, y: 10 }, number(high)));
    parts.push(drawing("text", { x: 3, y: bottom - 3 }, number(low)));
    picture.replaceChildren(...parts);
    picture.setAttribute("aria-label", of ? `${title}: ${text.actual} ${number(tag.actual)}, ${text.band} ${number(tag.lower)} – ${number(tag.upper)}` : `${title} ${number(model.score)}`);
    find("trend-title").textContent = title + (of ? "" : `, ${text.limit} ${number(model.limit, 2)}`);
  };

  const current = () => (shown && shown.models.find((one) => one.key === chosen || one.name === chosen)) || (shown && shown.models[0]);

  const drawModels = (model) => {
    const select = find("models");
    select.hidden = shown.models.length < 2;
    select.setAttribute("aria-label", text.model);
    if (document.activeElement === select) return;
    select.replaceChildren(...shown.models.map((one) => element("option", { value: one.key, selected: one.key === model.key },
      one.name + (one.alarm ? " !" : ""))));
  };

  const sentence = (model) => {
    if (shown.off || model.off) return text.off;
    if (model.message) return model.message;
    if (model.score === null) return model.reason || text.no_score;
    if (model.reason) return model.reason;
    return model.headline || (model.state === 0 ? text.normal : "");
  };

  const draw = () => {
    const model = current();
    if (!model) return;
    if (!role && model.leading && model.tags.length) role = model.tags[0].role;
    if (!model.leading && role && role !== "-" && !model.tags.some((one) => one.role === role)) role = "";
    const body = document.body;
    body.dataset.state = shown.alive ? model.state : 2;
    body.classList.toggle("alarm", model.alarm);
    drawSymbol(shown.alive ? model.state : 2);
    const known = model.quality !== "bad";
    body.dataset.known = known ? "yes" : "no";
    const state = known ? text["state_" + model.state] : `${text.not_scored} (${text.before}: ${text["state_" + model.state]})`;
    find("state").textContent = shown.alive ? state : text.stopped;
    drawModels(model);
    const good = model.score_quality === "good";
    find("value").textContent = model.score === null ? "–" : number(model.score, 2) + (good ? "" : " ?");
    find("limit").textContent = `${text.limit} ${number(model.limit, 2)}`;
    drawGauge(model);
    const alarm = model.occurrence;
    const parts = [];
    if (model.alarm && alarm.since) parts.push(`${text.since} ${clock(alarm.since)}`);
    if (model.alarm) parts.push(alarm.acknowledged ? `${text.acknowledged}${alarm.by ? " (" + alarm.by + ")" : ""}` : text.not_acknowledged);
    if (alarm.shelved_until) parts.push(`${text.shelved_until} ${clock(alarm.shelved_until)}`);
    if (model.due) parts.push(`${text.last_run} ${clock(model.due)}`);
    find("since").textContent = parts.join(" · ");
    find("message").textContent = sentence(model);
    drawTags(model);
    drawTrend(model);
    drawButtons(model);
    drawAge();
  };

  const drawButtons = (model) => {
    const alarm = model.occurrence;
    find("acknowledge").textContent = text.acknowledge;
    find("acknowledge").disabled = alarm.id === "0" || alarm.acknowledged;
    find("shelve").textContent = alarm.shelved_until ? text.unshelve : text.shelve;
    find("shelve").disabled = false;
    find("feedback").textContent = text.feedback;
    find("feedback").disabled = alarm.id === "0";
  };

  // --- how old what is shown is ---
  const drawAge = () => {
    const silent = performance.now() - heard > STALE_MS;
    const stopped = shown && !shown.alive;
    const stale = find("stale");
    document.body.classList.toggle("stale", Boolean(denied || silent || stopped));
    let words = "";
    if (denied) words = denied;
    else if (silent) words = `${text.stale}: ${text.not_connected} ${two(heardAt.getHours())}:${two(heardAt.getMinutes())}:${two(heardAt.getSeconds())}`;
    else if (stopped) words = `${text.stale}: ${text.stopped}${shown.last ? ", " + clock(shown.last) : ""}`;
    if (stale.textContent !== words) stale.textContent = words;
    stale.hidden = !words;
  };
  setInterval(drawAge, 1000);

  const hear = (found) => {
    heard = performance.now();
    heardAt = new Date();
    denied = found.trouble ? found.trouble : "";
    if (found.models) { shown = found; draw(); } else drawAge();
  };

  // --- the connection: told over a WebSocket; asked for when there is none ---
  const ask = async () => {
    try {
      const answer = await fetch("/api/" + path, { cache: "no-store", headers: bearer ? { Authorization: "Bearer " + bearer } : {} });
      if (answer.ok) { hear(await answer.json()); return true; }
      if (answer.status === 401 || answer.status === 403) denied = text.not_allowed;
      if (answer.status === 404) denied = text.no_asset;
      if (answer.status === 503) denied = (await answer.json()).error;
      drawAge();
    } catch (error) { /* not reachable: the age says so */ }
    return false;
  };
  const listen = () => {
    const scheme = location.protocol === "https:" ? "wss://" : "ws://";
    let socket;
    try { socket = new WebSocket(scheme + location.host + "/live/" + path); } catch (error) { again(); return; }
    let alive = setTimeout(() => socket.close(), STALE_MS);
    socket.addEventListener("message", (event) => {
      wait = 500;
      clearTimeout(alive);
      alive = setTimeout(() => socket.close(), STALE_MS);
      hear(JSON.parse(event.data));
    });
    socket.addEventListener("close", (event) => {
      clearTimeout(alive);
      if (event.code === NO_MORE) { denied = text.not_allowed; drawAge(); }
      again();
    });
  };
  const again = async () => {
    await ask();
    setTimeout(listen, wait + Math.random() * wait);
    wait = Math.min(wait * 2, 4000);
  };

  // --- what the operator does ---
  const panel = find("panel");
  const close = (note) => { panel.hidden = true; panel.replaceChildren(); find("note").textContent = note || ""; };
  const open = (title, fields, send) => {
    const trouble = element("p", { className: "trouble", role: "alert" });
    const cancel = element("button", { type: "button" }, text.cancel);
    cancel.addEventListener("click", () => close());
    panel.replaceChildren(element("h2", {}, title), trouble, ...fields,
      element("div", { className: "row" }, element("button", { type: "submit" }, text.send), cancel));
    panel.onsubmit = async (event) => {
      event.preventDefault();
      const problem = await send(panel);
      if (problem) trouble.textContent = problem;
    };
    panel.hidden = false;
    const first = panel.querySelector("input, select");
    if (first) first.focus();
  };
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !panel.hidden) close(); });
  const field = (label, control) => element("label", {}, element("span", {}, label), control);

  const headers = () => {
    const sent = { "Content-Type": "application/json" };
    if (bearer) sent.Authorization = "Bearer " + bearer;
    else if (given.csrf) sent["X-TagSight-CSRF"] = given.csrf;
    return sent;
  };
  const act = async (what) => {
    const model = current();
    const body = JSON.stringify({ model: model.key, occurrence: model.occurrence.id, ...what });
    let answer;
    try { answer = await fetch("/api/act", { method: "POST", headers: headers(), body }); } catch (error) {
      return `${text.refused} ${text.not_connected} ${clock(heardAt)}`;
    }
    if (answer.status === 401 || answer.status === 403) { user = ""; bearer = ""; signIn(() => act(what).then((problem) => { if (problem) find("note").textContent = problem; })); return ""; }
    if (!answer.ok) return `${text.refused} ${(await answer.json()).error}`;
    close(text.stored);
    return "";
  };
  const signedIn = (go) => { if (user) go(); else signIn(go); };
  const signIn = (go) => open(text.sign_in, [
    field(text.user_name, element("input", { name: "user", maxLength: 64, required: true })),
    field(text.password, element("input", { name: "password", type: "password", maxLength: 200, required: true })),
  ], async (form) => {
    const body = new URLSearchParams({ user: form.user.value, password: form.password.value });
    let answer;
    try { answer = await fetch("/api/session", { method: "POST", body }); } catch (error) { return text.refused; }
    const told = await answer.json();
    if (!answer.ok) return text[told.error] || told.error;
    bearer = told.key;
    user = told.user;
    close();
    go();
    return "";
  });

  find("acknowledge").addEventListener("click", () => signedIn(() => open(text.acknowledge, [
    field(text.comment, element("input", { name: "comment", maxLength: 500 })),
  ], (form) => act({ act: "acknowledge", comment: form.comment.value }))));
  find("shelve").addEventListener("click", () => signedIn(() => {
    if (current().occurrence.shelved_until) { open(text.unshelve, [field(text.comment, element("input", { name: "comment", maxLength: 500 }))],
      (form) => act({ act: "unshelve", comment: form.comment.value })); return; }
    const times = [[60, "1 " + text.hours], [480, "8 " + text.hours], [1440, "1 " + text.days], [10080, "7 " + text.days], [0, text.until_end]];
    open(text.shelve, [
      field(text.reason, element("input", { name: "comment", maxLength: 500, required: true })),
      field(text.time, element("select", { name: "minutes" }, ...times.map(([value, words]) => element("option", { value: String(value) }, words)))),
    ], (form) => act({ act: "shelve", comment: form.comment.value, minutes: Number(form.minutes.value) }));
  }));
  find("feedback").addEventListener("click", () => signedIn(() => {
    const kinds = [[1, text.true_alarm], [2, text.false_alarm], [3, text.maintenance]];
    open(text.feedback, [
      element("div", { className: "choices", role: "radiogroup" }, ...kinds.map(([value, words]) => element("label", {},
        element("input", { type: "radio", name: "kind", value: String(value), required: true }), words))),
      field(text.comment, element("input", { name: "comment", maxLength: 500 })),
    ], (form) => act({ act: "feedback", feedback: Number(form.kind.value), comment: form.comment.value }));
  }));
  find("models").addEventListener("change", (event) => { chosen = event.target.value; role = ""; draw(); });
  if (window.ResizeObserver) new ResizeObserver(() => { if (shown) drawTrend(current()); }).observe(find("trend").parentElement);

  drawSymbol(0);
  listen();
})();
