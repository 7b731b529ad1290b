// Renders /openapi.json. Everything is built from nodes and text; nothing is parsed as HTML.

const METHODS = ["get", "post", "put", "patch", "delete"];
const main = document.getElementById("main");
const contents = document.getElementById("contents");

/** An element with properties and children; strings become text. */
function node(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class") element.className = value;
    else if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null && child !== ""));
  return element;
}

/** Text in which what stands between backticks is code. */
function words(text) {
  return (text ?? "").split("`").map((part, at) => (at % 2 ? node("code", {}, part) : part));
}

async function start() {
  const response = await fetch("/openapi.json");
  if (!response.ok) throw new Error(`/openapi.json answered ${response.status}`);
  const api = await response.json();
  document.getElementById("title").textContent = `${api.info.title} API ${api.info.version}`;
  document.getElementById("about").replaceChildren(...words(api.info.description));
  main.replaceChildren();
  for (const group of groups(api)) {
    main.append(node("h2", { class: "group", id: `tag-${slug(group.name)}` }, `${group.name}`));
    contents.append(node("h2", {}, group.name), node("ul", {}, ...group.operations.map((each) => entry(each))));
    main.append(...group.operations.map((each) => operation(api, each)));
  }
  main.append(...codes(api), ...schemas(api));
  document.getElementById("find").addEventListener("input", (event) => filter(event.target.value));
  show(location.hash);
  addEventListener("hashchange", () => show(location.hash));
}

function groups(api) {
  const known = (api.tags ?? []).map((tag) => tag.name);
  const byTag = new Map(known.map((name) => [name, []]));
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS) {
      if (!item[method]) continue;
      const tag = item[method].tags?.[0] ?? "other";
      if (!byTag.has(tag)) byTag.set(tag, []);
      byTag.get(tag).push({ path, method, about: item[method] });
    }
  }
  return [...byTag].map(([name, operations]) => ({ name, operations })).filter((group) => group.operations.length);
}

const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-");
const anchor = ({ method, path }) => `${method}-${slug(path)}`;

function entry(each) {
  return node("li", {}, node("a", { href: `#${anchor(each)}` }, node("span", { class: `method ${each.method}` }, each.method), " ", each.path));
}

function operation(api, each) {
  const { about, method, path } = each;
  const scopes = (about.security ?? []).flatMap((one) => Object.values(one).flat());
  const body = about.requestBody?.content?.["application/json"]?.schema;
  const details = node(
    "details",
    { class: "operation", id: anchor(each) },
    node("summary", {}, node("span", { class: `method ${method}` }, method), node("code", {}, path), node("span", { class: "what" }, about.summary ?? "")),
    about.description ? node("p", {}, ...words(about.description)) : "",
    scopes.length ? node("p", {}, "Needs an API key with scope ", node("code", {}, scopes.join(", ")), ".") : "",
  );
  details.append(...parameters(about.parameters ?? []));
  if (body) details.append(node("h3", {}, "Body"), properties(api, body));
  details.append(node("h3", {}, "Answers"), answers(api, about.responses), trial(api, each, body));
  return details;
}

function parameters(list) {
  if (!list.length) return [];
  const rows = list.map((each) =>
    node("tr", {}, node("td", {}, node("code", {}, each.name)), node("td", {}, `${each.in}${each.required ? ", required" : ""}`), node("td", {}, type(each.schema)), node("td", {}, ...words(each.description))),
  );
  return [node("h3", {}, "Parameters"), node("table", {}, node("tbody", {}, ...rows))];
}

function answers(api, responses) {
  const rows = Object.entries(responses).map(([status, each]) => {
    const [media, content] = Object.entries(each.content ?? {})[0] ?? [];
    return node("tr", {}, node("td", {}, node("code", {}, status)), node("td", {}, ...words(each.description)), node("td", {}, media ?? ""), node("td", {}, content?.schema ? type(content.schema) : ""));
  });
  return node("table", {}, node("tbody", {}, ...rows));
}

function type(schema) {
  if (!schema) return "";
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    return node("a", { href: `#schema-${name}` }, name);
  }
  const list = schema.oneOf ?? schema.anyOf ?? schema.allOf;
  if (list) return node("span", {}, ...list.flatMap((each, index) => (index ? [" or ", type(each)] : [type(each)])));
  if (schema.type === "array") return node("span", {}, "list of ", type(schema.items));
  const name = [schema.type ?? "any"].flat().join(" or ");
  return node("code", {}, schema.format ? `${name} (${schema.format})` : schema.enum ? schema.enum.join(" | ") : name);
}

const resolve = (api, schema) => (schema?.$ref ? api.components.schemas[schema.$ref.split("/").pop()] : schema);

function fields(api, schema) {
  const resolved = resolve(api, schema) ?? {};
  const parts = [resolved, ...(resolved.allOf ?? []).map((each) => resolve(api, each))];
  const required = new Set(parts.flatMap((each) => each?.required ?? []));
  return parts.flatMap((each) => Object.entries(each?.properties ?? {})).map(([name, about]) => ({ name, about, required: required.has(name) }));
}

function properties(api, schema) {
  const rows = fields(api, schema).map(({ name, about, required }) =>
    node("tr", {}, node("td", {}, node("code", {}, name)), node("td", {}, required ? "required" : ""), node("td", {}, type(about)), node("td", {}, ...words(about.description))),
  );
  return rows.length ? node("table", {}, node("tbody", {}, ...rows)) : node("p", {}, type(resolve(api, schema)));
}

function example(api, schema) {
  const value = {};
  for (const { name, about, required } of fields(api, schema)) {
    if (required) value[name] = about.example ?? (about.type === "object" ? {} : "");
  }
  return JSON.stringify(value, null, 2);
}

function trial(api, { method, path, about }, body) {
  const inputs = (about.parameters ?? []).map((each) => ({
    each,
    input: node("input", { name: each.name, placeholder: each.schema?.example ?? each.schema?.default ?? "", required: each.required === true, spellcheck: false }),
  }));
  const text = body && node("textarea", { value: example(api, body), spellcheck: false, "aria-label": "Body" });
  const result = node("div", { role: "status" });
  const form = node(
    "form",
    { autocomplete: "off" },
    node("h3", {}, "Try it"),
    node("div", { class: "fields" }, ...inputs.map(({ each, input }) => node("label", {}, each.name, input))),
    text ? node("label", {}, "Body", text) : "",
    node("button", { type: "submit" }, "Send"),
    result,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    result.replaceChildren("…");
    result.replaceChildren(...(await send(method, path, inputs, text?.value)));
  });
  return form;
}

async function send(method, path, inputs, body) {
  let url = path;
  const query = new URLSearchParams();
  for (const { each, input } of inputs) {
    if (each.in === "path") url = url.replace(`{${each.name}}`, encodeURIComponent(input.value));
    else if (each.in === "query" && input.value !== "") query.set(each.name, input.value);
  }
  if ([...query].length) url += `?${query}`;
  const headers = {};
  const key = document.getElementById("key").value.trim();
  if (key) headers.authorization = `Bearer ${key}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const began = performance.now();
  try {
    const response = await fetch(url, { method: method.toUpperCase(), headers, body, credentials: "omit", redirect: "manual" });
    const milliseconds = Math.round(performance.now() - began);
    const kind = response.headers.get("content-type") ?? "";
    const shown = await readable(response, kind);
    const head = response.type === "opaqueredirect" ? "a redirect" : `${response.status} ${response.statusText}`;
    const id = response.headers.get("x-request-id");
    return [node("h3", {}, `${head}, ${milliseconds} ms`), node("p", {}, node("code", {}, kind), id ? ` request ${id}` : ""), shown];
  } catch (error) {
    return [node("p", {}, `The request failed: ${error.message}`)];
  }
}

async function readable(response, kind) {
  if (/json/.test(kind)) {
    const text = await response.text();
    try {
      return node("pre", {}, JSON.stringify(JSON.parse(text), null, 2));
    } catch {
      return node("pre", {}, text);
    }
  }
  if (/^text\/|rfc822/.test(kind)) return node("pre", {}, (await response.text()).slice(0, 100_000));
  const content = await response.blob();
  return node("p", {}, `${content.size} octets`);
}

function codes(api) {
  const list = api["x-problem-codes"] ?? [];
  if (!list.length) return [];
  const rows = list.map(({ code, status, title }) => node("tr", { id: `problem-${code}` }, node("td", {}, node("code", {}, code)), node("td", {}, String(status)), node("td", {}, title)));
  contents.append(node("h2", {}, "problems"), node("ul", {}, node("li", {}, node("a", { href: "#problems" }, "All codes"))));
  return [node("h2", { class: "group", id: "problems" }, "problems"), node("section", { class: "codes" }, node("table", {}, node("tbody", {}, ...rows)))];
}

function schemas(api) {
  const all = Object.entries(api.components?.schemas ?? {});
  contents.append(node("h2", {}, "schemas"), node("ul", {}, ...all.map(([name]) => node("li", {}, node("a", { href: `#schema-${name}` }, name)))));
  return [
    node("h2", { class: "group" }, "schemas"),
    ...all.map(([name, schema]) => node("section", { class: "schema", id: `schema-${name}` }, node("h3", {}, name), schema.description ? node("p", {}, ...words(schema.description)) : "", properties(api, schema))),
  ];
}

function filter(text) {
  const wanted = text.trim().toLowerCase();
  for (const each of main.querySelectorAll("details.operation")) {
    each.hidden = wanted !== "" && !each.textContent.toLowerCase().includes(wanted);
  }
}

function show(hash) {
  const target = hash && document.getElementById(decodeURIComponent(hash.slice(1)));
  if (!target) return;
  if (target instanceof HTMLDetailsElement) target.open = true;
  target.scrollIntoView();
}

start().catch((error) => main.replaceChildren(node("p", {}, `The description cannot be shown: ${error.message}`)));
