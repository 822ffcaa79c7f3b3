// One study: its views, its report with what matched, its score beside a random study's.

export function el(name, given = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key in made && typeof value !== "string") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// Two digits; what rounds to nothing has no sign.
const two = (score) => (Math.abs(score) < 0.005 ? 0 : score).toFixed(2);

const place = (score) => `${Math.max(0, Math.min(100, 50 + 50 * score))}%`;

function scale(score, random) {
  const chance = el("i", { class: "chance" });
  chance.style.left = place(random.median);
  chance.style.width = `calc(${place(random.high)} - ${place(random.median)})`;
  const here = el("i", { class: "here" });
  here.style.left = `calc(${place(score)} - .15rem)`;
  const said = `score ${two(score)}; a random study ${two(random.median)}, ` +
    `one in twenty ${two(random.high)} or more`;
  return el("div", { class: "scale", role: "img", "aria-label": said }, chance, here);
}

function figure(video, player) {
  const canvas = el("canvas", { role: "img", "aria-label": video.view || "view" });
  player.add(canvas, video, `/api/videos/${video.number}/poster`, `/api/videos/${video.number}/sheet`);
  const caption = el("figcaption", {}, video.view || "view");
  if (!video.timed && video.frames > 1) caption.append(" · speed unknown");
  return el("figure", { "data-number": String(video.number) }, canvas, caption);
}

// The viewer's address for a study; nothing where it lacks a column that the address needs.
function viewer(template, result) {
  const values = { study_id: result.id, ...result.fields };
  let whole = true;
  const address = template.replace(/\{(\w+)\}/g, (_, name) => {
    if (!(name in values)) whole = false;
    return encodeURIComponent(values[name] ?? "");
  });
  return template && whole ? address : null;
}

export function card(result, answer, context) {
  const { player, act, pacs } = context;
  const vote = (verdict, name, key) => el("button", {
    type: "button", class: "vote", "data-do": verdict, "aria-pressed": String(result.verdict === verdict),
    onclick: () => act.label(result, result.verdict === verdict ? "" : verdict),
  }, name, " ", el("kbd", {}, key));
  const address = viewer(pacs, result);
  const doubtful = !answer.relevant || result.p > answer.max_p;
  const fields = Object.entries(result.fields);
  return el("article", {
    class: doubtful ? "study doubtful" : "study", tabindex: "0", "data-row": String(result.row),
    "aria-label": `study ${result.id}`,
  },
  el("div", { class: "head" },
    el("h2", {}, result.id),
    el("p", { class: "quiet" }, `score ${two(result.score)} · a random study `
      + `${two(answer.random.median)}, one in twenty ${two(answer.random.high)} or more`
      + ` · ${chance(result.p)} of random pairs score as high`)),
  scale(result.score, answer.random),
  el("div", { class: "views" }, ...result.videos.map((video) => figure(video, player))),
  el("p", { class: "report", dir: "auto" }, result.report || "No report."),
  el("p", { class: "words quiet" }),
  el("div", { class: "actions" },
    vote("like", "More like this", "m"), vote("unlike", "Less like this", "l"),
    el("button", { type: "button", "data-do": "similar", onclick: () => act.similar(result) },
      "Search with it ", el("kbd", {}, "s")),
    el("button", { type: "button", "data-do": "keep", onclick: () => act.keep(result) },
      "Add to list ", el("kbd", {}, "a")),
    address && el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, "Open in the viewer")),
  fields.length ? el("details", {}, el("summary", {}, "Columns"),
    el("dl", {}, ...fields.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]))) : null);
}

export function chance(p) {
  return p < 0.001 ? "fewer than 1 in 1,000" : `${(100 * p).toFixed(p < 0.01 ? 1 : 0)} %`;
}

// Marks what carried the score; it comes a moment after the studies themselves.
export function explain(article, why, kind) {
  const report = article.querySelector(".report");
  if (why.sentences.length) {
    report.replaceChildren(...why.sentences.flatMap((sentence, n) =>
      [n === why.marked ? el("mark", {}, sentence) : sentence, " "]));
  }
  const scores = Object.entries(why.views);
  const best = scores.reduce((a, b) => (b[1] > a[1] ? b : a), ["", -Infinity])[0];
  for (const [number, score] of scores) {
    const shown = article.querySelector(`figure[data-number="${number}"]`);
    const leads = number === best && scores.length > 1;
    shown.classList.toggle("best", leads);
    shown.querySelector("figcaption").append(` · ${two(score)}${leads ? " · carried it" : ""}`);
  }
  const most = Math.max(...why.words.map(([, weight]) => weight), 0);
  if (why.words.length > 1 && most > 0) {
    article.querySelector(".words").replaceChildren(
      kind === "text" ? "Your words, by what the score loses without them: "
        : "Words of the marked sentence, by what it loses without them: ",
      ...why.words.map(([word, weight]) => el("span", { class: weight > most / 2 ? "strong" : "" },
        `${word} ${weight >= 0 ? "+" : "−"}${Math.abs(weight).toFixed(2)}`)));
  }
}
