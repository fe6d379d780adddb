"use strict";
// Lanes: a canvas, drawn anew for each zoom. DATA is made by page.py:
//   end: ns; ranks: titles; bars: for each rank [begin, length, busy %, thread, ...] flat, begins as differences;
//   threads: [name, colour index or -1]; moves: [ns, arrived ns, thread, from, to, ...] flat; steps: [ns, ...]
(() => {
  const canvas = document.getElementById("lanes"), tip = document.getElementById("tip");
  const showMoves = document.getElementById("moves"), reset = document.getElementById("reset");
  const ranks = DATA.ranks.length;
  const laneHeight = Math.max(9, Math.min(40, Math.floor(560 / ranks)));
  const left = ranks > 30 ? 44 : 96, top = 22, gap = laneHeight > 14 ? 5 : 2;
  const bars = DATA.bars.map(flat => {
    const list = new Float64Array(flat);
    for (let i = 4; i < list.length; i += 4) list[i] += list[i - 4];
    return list;
  });
  let view = [0, DATA.end], marked = -1, colours = {};

  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const readColours = () => {
    for (const name of ["lane", "ink", "soft", "line", "bar", "bar2", "move", "light", "accent"]) colours[name] = css("--" + name);
  };
  const colourOf = thread => {
    const index = DATA.threads[thread][1];
    if (index < 0) return thread % 2 ? colours.bar : colours.bar2;
    return `hsl(${(index * 137.5 + 210) % 360} 62% ${colours.light})`;
  };
  const time = ns => {
    const a = Math.abs(ns);
    return a >= 1e9 ? (ns / 1e9).toPrecision(4) + " s" : a >= 1e6 ? (ns / 1e6).toPrecision(4) + " ms"
      : a >= 1e3 ? (ns / 1e3).toPrecision(4) + " µs" : Math.round(ns) + " ns";
  };
  const y = rank => top + rank * (laneHeight + gap);
  const width = () => canvas.clientWidth - left - 8;
  const x = ns => left + (ns - view[0]) / (view[1] - view[0]) * width();
  const at = px => view[0] + (px - left) / width() * (view[1] - view[0]);

  function drawAxis(g, height) {
    const span = view[1] - view[0], raw = span / Math.max(2, width() / 120);
    const power = 10 ** Math.floor(Math.log10(raw));
    const tick = [1, 2, 5, 10].map(n => n * power).find(n => n >= raw);
    g.fillStyle = colours.soft;
    g.strokeStyle = colours.line;
    g.textAlign = "center";
    for (let t = Math.ceil(view[0] / tick) * tick; t <= view[1]; t += tick) {
      g.beginPath(); g.moveTo(x(t), top - 4); g.lineTo(x(t), height); g.stroke();
      g.fillText(t === 0 ? "0" : time(t).replace(/(\.\d*?)0+ /, "$1 ").replace(". ", " "), x(t), 12);
    }
  }

  function drawLane(g, rank) {
    g.fillStyle = colours.lane;
    g.fillRect(left, y(rank), width(), laneHeight);
    g.fillStyle = colours.soft;
    g.textAlign = "right";
    if (laneHeight > 12 || rank % 4 === 0) g.fillText(left < 60 ? rank : DATA.ranks[rank], left - 6, y(rank) + laneHeight / 2 + 4);
    const list = bars[rank];
    for (let i = 0; i < list.length; i += 4) {
      const begin = list[i], end = begin + list[i + 1];
      if (end < view[0] || begin > view[1]) continue;
      const from = Math.max(x(begin), left), to = Math.min(x(end), left + width());
      const height = Math.max(1, laneHeight * list[i + 2] / 100);
      g.globalAlpha = marked < 0 || marked === list[i + 3] ? 1 : 0.18;
      g.fillStyle = colourOf(list[i + 3]);
      g.fillRect(from, y(rank) + laneHeight - height, Math.max(to - from - (to - from > 4 ? 0.6 : 0), 0.4), height);
      if (to - from > 60 && laneHeight > 14) {
        g.fillStyle = "#fff";
        g.textAlign = "left";
        const room = Math.floor((to - from - 8) / 6), name = DATA.threads[list[i + 3]][0];
        g.fillText(name.length > room ? name.slice(0, room - 1) + "…" : name, from + 4, y(rank) + laneHeight / 2 + 4);
      }
    }
    g.globalAlpha = 1;
  }

  function drawMoves(g) {
    g.strokeStyle = colours.move;
    g.lineWidth = 1;
    for (let i = 0; i < DATA.moves.length; i += 5) {
      const [begin, end, thread, from, to] = DATA.moves.slice(i, i + 5);
      if (end < view[0] || begin > view[1]) continue;
      g.globalAlpha = marked < 0 ? 0.45 : thread === marked ? 1 : 0.06;
      const down = to > from;
      g.beginPath();
      g.moveTo(x(begin), y(from) + (down ? laneHeight : 0));
      g.lineTo(x(end), y(to) + (down ? 0 : laneHeight));
      g.stroke();
    }
    g.globalAlpha = 1;
  }

  function draw() {
    const height = y(ranks) + 4, scale = window.devicePixelRatio || 1;
    canvas.style.height = height + "px";
    canvas.width = canvas.clientWidth * scale;
    canvas.height = height * scale;
    const g = canvas.getContext("2d");
    g.scale(scale, scale);
    g.font = "11px system-ui, sans-serif";
    drawAxis(g, height);
    for (let rank = 0; rank < ranks; ++rank) drawLane(g, rank);
    g.save();
    g.beginPath(); g.rect(left, 0, width(), height); g.clip();
    g.strokeStyle = colours.accent;
    g.setLineDash([4, 3]);
    for (const step of DATA.steps) {
      g.beginPath(); g.moveTo(x(step), top - 4); g.lineTo(x(step), height); g.stroke();
    }
    g.setLineDash([]);
    if (showMoves.checked) drawMoves(g);
    g.restore();
  }

  function find(event) {
    const box = canvas.getBoundingClientRect();
    const rank = Math.floor((event.clientY - box.top - top) / (laneHeight + gap));
    const ns = at(event.clientX - box.left), slack = (view[1] - view[0]) / width();
    if (rank < 0 || rank >= ranks) return null;
    const list = bars[rank];
    let low = 0, high = list.length / 4;
    while (low < high) {  // the last bar that begins before
      const middle = (low + high) >> 1;
      if (list[middle * 4] <= ns + slack) low = middle + 1; else high = middle;
    }
    const i = (low - 1) * 4;
    return i >= 0 && list[i] + list[i + 1] >= ns - slack ? {rank, begin: list[i], length: list[i + 1], busy: list[i + 2], thread: list[i + 3]} : null;
  }

  let dragged = null;
  const mark = thread => { if (marked !== thread) { marked = thread; draw(); } };
  canvas.addEventListener("pointermove", event => {
    if (dragged) {
      const span = dragged.view[1] - dragged.view[0];
      const by = Math.min(Math.max((dragged.x - event.clientX) / width() * span, -dragged.view[0]), DATA.end - dragged.view[1]);
      view = [dragged.view[0] + by, dragged.view[1] + by];
      draw();
      return;
    }
    const bar = find(event);
    tip.style.display = bar ? "block" : "none";
    if (!bar) return mark(-1);
    tip.textContent = `${DATA.threads[bar.thread][0]}\n${DATA.ranks[bar.rank]}, from ${time(bar.begin)} for ${time(bar.length)}` +
      (bar.busy < 99 ? `\nbusy ${bar.busy} % of it, with other threads too` : "");
    tip.style.left = Math.min(event.clientX + 14, innerWidth - 350) + "px";
    tip.style.top = event.clientY + 16 + "px";
    mark(bar.thread);
  });
  canvas.addEventListener("pointerleave", () => { tip.style.display = "none"; mark(-1); });
  canvas.addEventListener("pointerdown", event => { dragged = {x: event.clientX, view: [...view]}; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointerup", () => { dragged = null; });
  canvas.addEventListener("wheel", event => {
    if (!event.ctrlKey && !event.shiftKey) return;  // the page scrolls
    event.preventDefault();
    zoom(Math.exp((event.deltaY || event.deltaX) * 0.002), at(event.clientX - canvas.getBoundingClientRect().left));
  }, {passive: false});
  function zoom(factor, middle) {
    const span = Math.min(Math.max((view[1] - view[0]) * factor, 200), DATA.end);
    const begin = Math.min(Math.max(middle - (middle - view[0]) * span / (view[1] - view[0]), 0), DATA.end - span);
    view = [begin, begin + span];
    draw();
  }
  document.getElementById("in").onclick = () => zoom(0.5, (view[0] + view[1]) / 2);
  document.getElementById("out").onclick = () => zoom(2, (view[0] + view[1]) / 2);
  reset.onclick = () => { view = [0, DATA.end]; draw(); };
  showMoves.onchange = draw;
  addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); draw(); });
  readColours();
  draw();

  // Colour chips in the tables, and sorting by a column.
  for (const chip of document.querySelectorAll("[data-thread]")) chip.style.background = colourOf(+chip.dataset.thread);
  for (const head of document.querySelectorAll("table.list th")) {
    head.onclick = () => {
      const table = head.closest("table"), column = head.cellIndex, body = table.tBodies[0];
      const sign = head.dataset.sign = head.dataset.sign === "-1" ? 1 : -1;
      const value = row => row.cells[column].dataset.value ?? row.cells[column].textContent;
      const rows = [...body.rows].sort((a, b) => {
        const p = value(a), q = value(b);
        return sign * (isNaN(p) || isNaN(q) ? p.localeCompare(q) : p - q);
      });
      body.append(...rows);
    };
  }
})();
