// The page: asks, shows the answers, and keeps what a person says of them.

import { get, post, upload } from "/page/api.js";
import * as filters from "/page/filters.js";
import { Player } from "/page/player.js";
import { card, chance, el, explain } from "/page/study.js";

const by = (id) => document.getElementById(id);
const player = new Player();
const state = { library: null, query: null, count: 12, results: new Map(), running: null };
const PAGE = 12;

function say(text, bad = false) {
  by("status").textContent = text;
  by("status").classList.toggle("bad", bad);
  if (bad) by("status").scrollIntoView({ block: "nearest" });
}

async function tried(work) {
  try {
    return await work();
  } catch (problem) {
    if (problem.name !== "AbortError") say(problem.message, true);
    return null;
  }
}

function verdict(answer) {
  const box = by("verdict");
  const against = answer.kind === "text" ? "random pairs of a sentence and a study"
    : "cines with their parts shuffled";
  const unknown = answer.unknown_words.length
    ? ` No report holds: ${answer.unknown_words.join(", ")}.` : "";
  box.hidden = false;
  box.classList.toggle("nothing", !answer.relevant);
  const share = `all but ${chance(answer.p_best)} of ${against}`;
  let said = `The best study scores above ${share}.`;
  if (answer.kind === "text") {
    const expected = answer.p_best * answer.studies;
    const many = expected < 1 ? "fewer than 1"
      : `about ${Math.round(expected).toLocaleString("en")}`;
    said += ` By chance alone ${many} of ${answer.studies.toLocaleString("en")} studies would.`;
  }
  if (answer.strange) {
    said = "Most of these words stand in no report, so the model has never learned what they mean.";
  } else if (!answer.relevant) {
    said = `The best study scores no higher than chance: ${chance(answer.p_best)} of ${against} score as high.`;
  }
  const refined = answer.refined ? ` Moved by ${answer.refined} labels of yours.` : "";
  box.replaceChildren(
    el("strong", {}, answer.relevant ? `Nearest of ${answer.matching.toLocaleString("en")} studies`
      : "Nothing relevant in this library"),
    said + unknown + refined + (answer.relevant ? "" : " What is nearest is shown anyway, faintly."));
}

function show(answer) {
  player.clear();
  state.results = new Map(answer.results.map((result) => [String(result.row), result]));
  verdict(answer);
  by("tools").hidden = !answer.results.length;
  by("more").hidden = answer.results.length < state.count || answer.matching <= state.count || state.count >= 96;
  by("results").replaceChildren(...answer.results.map((result) =>
    card(result, answer, { player, act, pacs: state.library.pacs })));
  showAsked();
  say(`${answer.results.length} studies shown.`);
}

function showAsked() {
  const files = state.query.files || [];
  by("asked").hidden = !files.length;
  by("asked").replaceChildren(el("div", { class: "views" }, ...files.map((file) => {
    const canvas = el("canvas", { role: "img", "aria-label": `yours: ${file.name}` });
    player.add(canvas, file, null, `/api/uploads/${file.upload}/sheet`);
    return el("figure", {}, canvas, el("figcaption", {}, `yours: ${file.name}`));
  })));
}

function asked() {
  const { text = "", study = "", files = [] } = state.query;
  return { text, study, uploads: files.map((file) => file.upload) };
}

async function search(query, count = PAGE) {
  const anew = query !== state.query;
  state.query = query;
  state.count = count;
  state.running?.abort();
  state.running = new AbortController();
  const { signal } = state.running;
  say("Searching …");
  if (anew) window.scrollTo(0, 0); // what the search says of itself stands on top
  const chosen = filters.chosen(by("columns"), state.library.columns);
  const words = by("words").value;
  by("active").textContent = Object.keys(chosen).length || words ? "(some are set)" : "";
  await tried(async () => {
    const order = by("order").value;
    const answer = await post("/api/search", { query: asked(), words, filters: chosen, count, order }, signal);
    show(answer);
    for (let start = 0; start < answer.results.length; start += PAGE) {
      const rows = answer.results.slice(start, start + PAGE).map((result) => result.row);
      for (const why of await post("/api/explain", { query: asked(), rows }, signal)) {
        const article = document.querySelector(`[data-row="${why.row}"]`);
        if (article) explain(article, why, answer.kind);
      }
    }
    by("results").dataset.explained = "yes";
  });
}

const act = {
  label: (result, word) => tried(async () => {
    await post("/api/labels", { query: asked(), row: result.row, verdict: word });
    await search(state.query, state.count);
    document.querySelector(`[data-row="${result.row}"]`)?.focus();
  }),
  similar: (result) => {
    by("text").value = "";
    by("study").value = result.id;
    search({ study: result.id }).then(() => by("results").focus({ preventScroll: true }));
  },
  keep: (result) => tried(async () => {
    const name = by("list").value.trim() || "cases";
    const lists = await post("/api/lists", { name, row: result.row, kept: true });
    showLists(lists);
    say(`${result.id} is on the list ${name}, which has ${lists[name].length} studies.`);
  }),
};

function showLists(lists) {
  by("lists").replaceChildren(...Object.keys(lists).map((name) => el("option", { value: name })));
}

async function drop(files) {
  if (!files.length) return;
  const done = [];
  for (const file of files) {
    if (file.size > state.library.max_upload) {
      say(`${file.name}: larger than ${state.library.max_upload >> 20} MiB; drop a shorter cine`, true);
      return;
    }
    say(`Reading ${file.name} …`);
    const kept = await tried(() => upload(file));
    if (!kept) return;
    done.push({ ...kept, name: file.name });
  }
  by("text").value = by("study").value = "";
  await search({ files: done });
}

function submit() {
  const text = by("text").value.trim();
  const study = by("study").value.trim();
  if (text) by("study").value = "";
  if (text) search({ text });
  else if (study) search({ study });
  else if (state.query?.files) search(state.query);
  else say("Type a finding, drop a file, or name a study.", true);
}

function toggle() {
  const playing = player.toggle();
  showPlaying(playing);
}

function showPlaying(playing) {
  by("play").setAttribute("aria-pressed", String(playing));
  by("play").firstChild.textContent = playing ? "Pause " : "Play ";
}

function step(by_) {
  player.step(by_);
  showPlaying(false);
}

function move(direction) {
  const all = [...document.querySelectorAll(".study")];
  const at = all.indexOf(document.activeElement?.closest(".study"));
  all[Math.max(0, Math.min(all.length - 1, at + direction))]?.focus();
}

function onStudy(what) {
  document.activeElement?.closest(".study")?.querySelector(`[data-do="${what}"]`)?.click();
}

const KEYS = {
  "/": () => by("text").focus(), "?": () => by("help").showModal(),
  j: () => move(1), k: () => move(-1), " ": toggle, ",": () => step(-1), ".": () => step(1),
  m: () => onStudy("like"), l: () => onStudy("unlike"), s: () => onStudy("similar"), a: () => onStudy("keep"),
};

document.addEventListener("keydown", (event) => {
  const busy = event.target.closest?.("input, select, button, summary, a, dialog");
  const press = KEYS[event.key];
  if (!press || event.ctrlKey || event.metaKey || event.altKey) return;
  if (busy && (event.key === " " || busy.matches("input, select, dialog"))) return;
  event.preventDefault();
  press();
});
by("form").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
by("text").addEventListener("input", () => { by("study").value = ""; });
by("study").addEventListener("input", () => { by("text").value = ""; });
by("files").addEventListener("change", (event) => drop([...event.target.files]).then(() => { event.target.value = ""; }));
for (const kind of ["dragover", "dragenter"]) {
  document.addEventListener(kind, (event) => { event.preventDefault(); by("drop").classList.add("over"); });
}
document.addEventListener("dragleave", () => by("drop").classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  by("drop").classList.remove("over");
  drop([...event.dataTransfer.files]);
});
by("columns").addEventListener("change", () => state.query && search(state.query));
for (const id of ["words", "order"]) {
  by(id).addEventListener("change", () => state.query && search(state.query));
}
by("clear").addEventListener("click", () => {
  by("words").value = "";
  filters.build(by("columns"), state.library.columns);
  if (state.query) search(state.query);
});
by("more").addEventListener("click", () => search(state.query, Math.min(96, state.count + PAGE)));
by("play").addEventListener("click", toggle);
by("back").addEventListener("click", () => step(-1));
by("next").addEventListener("click", () => step(1));
by("speed").addEventListener("change", (event) => { player.speed = Number(event.target.value); });
by("list").addEventListener("input", (event) => {
  by("list-csv").href = `/api/list.csv?name=${encodeURIComponent(event.target.value.trim() || "cases")}`;
});
by("help-button").addEventListener("click", () => by("help").showModal());
showPlaying(player.playing);

await tried(async () => {
  state.library = await get("/api/library");
  by("name").textContent = `Study library of ${state.library.name}`;
  by("size").textContent = `${state.library.studies.toLocaleString("en")} studies, ${state.library.videos.toLocaleString("en")} videos`;
  filters.build(by("columns"), state.library.columns);
  showLists(await get("/api/lists"));
  by("text").focus();
});
