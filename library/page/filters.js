// Filters by columns of the manifest; what is chosen is read from the form itself.

import { el } from "/page/study.js";

export function build(into, columns) {
  into.replaceChildren(...Object.entries(columns).map(([name, column]) => {
    const field = el("fieldset", { "data-name": name }, el("legend", {}, name));
    if (column.choices) {
      for (const [value, count] of Object.entries(column.choices)) {
        field.append(el("label", {}, el("input", { type: "checkbox", value }), ` ${value || "none"} `,
          el("span", { class: "quiet" }, String(count))));
      }
    } else {
      for (const side of ["low", "high"]) {
        field.append(el("label", {}, `${side === "low" ? "from" : "to"} `, el("input", {
          type: "number", step: "any", "data-side": side, placeholder: String(column[side]) })));
      }
    }
    return field;
  }));
}

export function chosen(from, columns) {
  const filters = {};
  for (const field of from.querySelectorAll("fieldset")) {
    const { name } = field.dataset;
    const values = [...field.querySelectorAll("input:checked")].map((input) => input.value);
    if (values.length) filters[name] = values;
    const [low, high] = ["low", "high"].map((side) => field.querySelector(`[data-side=${side}]`)?.value);
    if (low || high) {
      filters[name] = { low: low ? Number(low) : columns[name].low, high: high ? Number(high) : columns[name].high };
    }
  }
  return filters;
}
