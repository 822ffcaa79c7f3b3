// Requests to the server; every error is one line that a person can read.

async function answered(response) {
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.error || `the server says ${response.status}`);
  return body;
}

async function sent(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw new Error("the server does not answer; is it still running?");
  }
  return answered(response);
}

export const get = (path) => sent(path);

export const post = (path, body, signal) =>
  sent(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });

export const upload = (file) => sent("/api/uploads", { method: "POST", body: file });
