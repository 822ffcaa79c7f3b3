// All views by one clock, at the speed at which they were filmed.
//
// Each view is one picture that holds all its frames side by side, drawn frame by frame. A view
// that is shorter than the longest begins anew when it ends.

export class Player {
  constructor() {
    this.views = new Map();
    this.time = 0;
    this.speed = 1;
    this.playing = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.last = null;
    this.seen = new IntersectionObserver((entries) => {
      for (const entry of entries) this.enter(entry.target, entry.isIntersecting);
    }, { rootMargin: "300px" });
    requestAnimationFrame((now) => this.tick(now));
  }

  add(canvas, loop, poster, sheet) {
    canvas.width = loop.columns_px;
    canvas.height = loop.rows_px;
    this.views.set(canvas, { loop, poster, sheet, image: null, shown: -1, near: false });
    this.seen.observe(canvas);
  }

  clear() {
    for (const canvas of this.views.keys()) this.seen.unobserve(canvas);
    this.views.clear();
    this.time = 0;
  }

  enter(canvas, near) {
    const view = this.views.get(canvas);
    if (!view) return;
    view.near = near;
    if (!near || view.asked) return;
    view.asked = true;
    const first = new Image();
    first.onload = () => {
      if (!view.image) canvas.getContext("2d").drawImage(first, 0, 0);
      canvas.dataset.poster = "shown";
    };
    if (view.poster) first.src = view.poster;
    const image = new Image();
    image.onload = () => { view.image = image; this.draw(canvas, view); };
    image.src = view.sheet;
  }

  toggle() {
    this.playing = !this.playing;
    return this.playing;
  }

  // Moves all views to where the shortest frame of any of them changes next.
  step(by) {
    this.playing = false;
    let gap = Infinity;
    for (const { loop } of this.views.values()) {
      if (loop.frames > 1) gap = Math.min(gap, loop.times_ms.at(-1) / loop.frames);
    }
    if (Number.isFinite(gap)) this.time = Math.max(0, this.time + by * gap);
    this.drawAll();
  }

  tick(now) {
    if (this.playing && this.last !== null) this.time += (now - this.last) * this.speed;
    this.last = now;
    this.drawAll();
    requestAnimationFrame((later) => this.tick(later));
  }

  drawAll() {
    for (const [canvas, view] of this.views) if (view.near) this.draw(canvas, view);
  }

  draw(canvas, view) {
    const { loop, image } = view;
    if (!image) return;
    const end = loop.times_ms.at(-1) || 1;
    const time = this.time % end;
    let frame = loop.times_ms.findIndex((begins) => begins > time + 0.01) - 1;
    if (frame < 0) frame = 0;
    if (frame === view.shown) return;
    view.shown = frame;
    const left = (frame % loop.columns) * loop.columns_px;
    const top = Math.floor(frame / loop.columns) * loop.rows_px;
    canvas.getContext("2d").drawImage(
      image, left, top, loop.columns_px, loop.rows_px, 0, 0, loop.columns_px, loop.rows_px);
    canvas.dataset.frame = frame;
  }
}
