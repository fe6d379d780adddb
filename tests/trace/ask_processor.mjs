// Loads a trace into Perfetto's own trace processor and says, as JSON, what it made of it.
//
// usage: node ask_processor.mjs FOLDER TRACE
//
// FOLDER holds Google's build for browsers: trace_processor.wasm, the JavaScript that goes with it,
// and engine.mjs, which speaks its protocol. It believes that it is in a browser's worker, so it is
// given what it looks for there.
import {readFileSync} from "node:fs";
import {pathToFileURL} from "node:url";
import vm from "node:vm";

const [folder, trace] = process.argv.slice(2);
const file = url => readFileSync(`${folder}/${String(url).split("/").pop()}`);

globalThis.self = globalThis;
globalThis.WorkerGlobalScope = class {};
globalThis.location = {href: `${pathToFileURL(folder)}/`};
globalThis.XMLHttpRequest = class {
  open(how, url) { this.bytes = file(url); }
  send() { this.response = new Uint8Array(this.bytes).buffer; }
};
console.warn = () => {};  // of what its JavaScript lacks outside of browsers
console.log = () => {};   // its progress

vm.runInThisContext(readFileSync(`${folder}/engine_bundle.node.js`, "utf8"));
await new Promise(resolve => setTimeout(resolve, 100));  // it has started, but for a callback

const {EngineBase} = await import(pathToFileURL(`${folder}/engine.mjs`));
const wire = new MessageChannel();
globalThis.onmessage({data: wire.port1});

class Engine extends EngineBase {
  mode = "WASM";
  id = "trace processor";
  rpcSendRequestBytes(bytes) { wire.port2.postMessage(bytes); }
}
const engine = new Engine();
wire.port2.onmessage = message => engine.onRpcResponseBytes(message.data);

async function rows(sql) {
  const result = await engine.query(sql);
  const names = result.columns(), found = [];
  for (const row = result.iter({}); row.valid(); row.next()) {
    found.push(Object.fromEntries(names.map(name => [name, row.get(name)])));
  }
  return found;
}
const number = async sql => Number((await rows(`select (${sql}) as n`))[0].n ?? 0);

await engine.parse(new Uint8Array(readFileSync(trace)));
await engine.notifyEof();
const arrows = category => number(
    `select count(*) from flow join slice a on a.id = slice_out join slice b on b.id = slice_in
     where a.category = '${category}' and b.category = '${category}'`);
const answer = {
  errors: await rows("select name, value from stats where severity = 'error' and value > 0"),
  losses: await rows("select name, value from stats where severity = 'data_loss' and value > 0"),
  slices: await number("select count(*) from slice"),
  flows: await number("select count(*) from flow"),
  counter_values: await number("select count(*) from counter"),
  processes: await number("select count(*) from process where name like 'rank %'"),
  moves: await arrows("move"),
  messages: await arrows("message"),
  moved_bytes: await number(
      `select sum(extract_arg(arg_set_id, 'args.bytes')) from slice where category = 'move'`),
  two_threads: await number(
      `select count(*) from flow join slice a on a.id = slice_out join slice b on b.id = slice_in
       where a.category = 'move' and extract_arg(a.arg_set_id, 'args.thread') !=
                                     extract_arg(b.arg_set_id, 'args.thread')`),
  back_in_time: await number(
      `select count(*) from flow join slice a on a.id = slice_out join slice b on b.id = slice_in
       where a.ts > b.ts`),
};
process.stdout.write(
    JSON.stringify(answer, (key, value) => typeof value === "bigint" ? Number(value) : value) + "\n",
    () => process.exit(0));
