// Small plots of minutes: both sides, the limits that are near, and the moments at which the weights changed.

const WIDTH = 340, HEIGHT = 130, LEFT = 36, RIGHT = 6, TOP = 8, BOTTOM = 18;

function scales(times, [bottom, top]) {
  const first = times.length ? Date.parse(times[0]) : 0;
  const last = times.length ? Date.parse(times[times.length - 1]) : 1;
  const span = Math.max(last - first, 60000);
  return {
    first, last,
    x: (time) => LEFT + ((Date.parse(time) - first) / span) * (WIDTH - LEFT - RIGHT),
    y: (value) => HEIGHT - BOTTOM - ((Math.max(bottom, Math.min(value, top)) - bottom) / (top - bottom)) * (HEIGHT - TOP - BOTTOM),
  };
}

function nice(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= value);
}

// From 0 where that leaves something to see; a success rate that moves between 99.9 % and 100 % would be a flat line.
function range(values) {
  const highest = Math.max(0, ...values);
  const lowest = values.length ? Math.min(...values) : 0;
  if (lowest < highest * 0.9 || highest <= 0) return [0, nice(highest * 1.05)];
  const room = Math.max((highest - lowest) * 0.15, highest * 0.0005);
  return [lowest - room, highest + room];
}

// A gap in the numbers is a gap in the line; a number between two gaps is a dot.
function lines(times, values, scale, side) {
  const runs = [];
  let run = [];
  values.forEach((value, index) => {
    if (value === null) { if (run.length) runs.push(run); run = []; }
    else run.push(`${scale.x(times[index]).toFixed(1)},${scale.y(value).toFixed(1)}`);
  });
  if (run.length) runs.push(run);
  return runs.map((points) => {
    if (points.length > 1) return s("polyline", { class: `line ${side}`, points: points.join(" ") });
    const [x, y] = points[0].split(",");
    return s("circle", { class: `dot ${side}`, cx: x, cy: y, r: 1.6 });
  });
}

function axes(times, scale, [bottom, top]) {
  const label = (value) => s("text", { x: LEFT - 5, y: scale.y(value) + 3, "text-anchor": "end" }, number(value, ""));
  const line = (value) => s("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: scale.y(value), y2: scale.y(value) });
  const ends = times.length > 1 ? [times[0], times[times.length - 1]] : times;
  const words = ends.map((time, index) => s("text", {
    x: scale.x(time), y: HEIGHT - 4, "text-anchor": index ? "end" : "start",
  }, clock(time)));
  return [line(bottom), line(top), label(bottom), label(top), words];
}

function lastOf(values) {
  for (let index = values.length - 1; index >= 0; index -= 1) if (values[index] !== null) return values[index];
  return null;
}

function metricPlot(plot, times, changes) {
  const seen = [...plot.green, ...plot.blue].filter((value) => value !== null);
  const highest = Math.max(0, ...seen);
  // A limit far above everything that was seen would press the lines to the ground; it is named below the plot.
  const near = plot.limits.filter((limit) => limit.value <= Math.max(highest * 4, limit.value === 0 ? 0 : 1e-9));
  const ends = range([...seen, ...near.map((limit) => limit.value)]);
  const scale = scales(times, ends);
  const limits = near.map((limit) => s("line", {
    class: `limit ${limit.kind}`, x1: LEFT, x2: WIDTH - RIGHT, y1: scale.y(limit.value), y2: scale.y(limit.value),
  }, s("title", {}, limit.text)));
  const marks = changes.filter((change) => Date.parse(change) >= scale.first && Date.parse(change) <= scale.last)
    .map((change) => s("line", { class: "change", x1: scale.x(change), x2: scale.x(change), y1: TOP, y2: HEIGHT - BOTTOM }));
  const now = [["blue", lastOf(plot.blue)], ["green", lastOf(plot.green)]].filter(([, value]) => value !== null)
    .map(([side, value]) => h("span", { class: side }, ` ${number(value, plot.unit)} `));
  return h("div", { class: "plot card" },
    h("div", { class: "head" }, h("h3", { class: "clip", title: plot.signal }, plot.signal), h("span", { class: "now" }, now)),
    s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": plot.signal },
      axes(times, scale, ends), marks, limits,
      lines(times, plot.blue, scale, "blue"), lines(times, plot.green, scale, "green")),
    h("small", { class: "clip", title: plot.limits.map((limit) => limit.text).join(", ") },
      plot.limits.map((limit) => limit.text).join(" · ") || "no limit"));
}

// Green's share of the weights, a step at each change.
function sharePlot(shares, latest) {
  const times = [...shares.map(([at]) => at), latest];
  const scale = scales(times, [0, 100]);
  const share = ({ blue, green }) => (100 * green) / (blue + green);
  let path = "";
  shares.forEach(([at, weights], index) => {
    const y = scale.y(share(weights)).toFixed(1);
    const until = scale.x(times[index + 1]).toFixed(1);
    path += `${index ? "L" : "M"}${scale.x(at).toFixed(1)},${y}L${until},${y}`;
  });
  const ground = HEIGHT - BOTTOM;
  return h("div", { class: "plot card" },
    h("div", { class: "head" }, h("h3", {}, "green's share of the weights"),
      h("span", { class: "now" }, h("span", { class: "green" }, number(share(shares[shares.length - 1][1]), "%")))),
    s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": "green's share of the weights" },
      axes([times[0], latest], scale, [0, 100]),
      s("path", { class: "area", d: `${path}L${WIDTH - RIGHT},${ground}L${LEFT},${ground}Z` }),
      s("path", { class: "line green", d: path })),
    h("small", {}, "a step at each change"));
}
