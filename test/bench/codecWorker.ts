import { createInterface } from "node:readline";
import { decodeResponse } from "../../server/wire/decode";
import { encodeResponse } from "../../server/wire/encode";
import { CODEC_VALUES, codecDocument } from "./codecDocuments";
import { decodeWithSaxes } from "./saxesDecoder";
import { workerReady } from "./worker";

/** One measurement, asked for by a line of JSON; the answer is the CPU time in ms, on a line of its own. */
export interface CodecOrder {
  operation: "decode" | "encode";
  document: string;
  times: number;
}

/** Decodes and encodes what it is told to, with our codec or with saxes. */
export async function codecWorker({ library }: { library: "ours" | "saxes" }): Promise<void> {
  workerReady({});
  for await (const line of createInterface({ input: process.stdin })) {
    const { operation, document, times } = JSON.parse(line) as CodecOrder;
    const work = workOf(library, operation, document);
    const start = process.cpuUsage();
    for (let turn = 0; turn < times; turn++) work();
    const { user, system } = process.cpuUsage(start);
    process.stdout.write(`${(user + system) / 1_000}\n`);
  }
}

function workOf(library: string, operation: string, document: string): () => unknown {
  const bytes = codecDocument(document);
  const value = CODEC_VALUES[document] ?? null;
  if (operation === "encode") return () => encodeResponse(value);
  return library === "saxes" ? () => decodeWithSaxes(bytes) : () => decodeResponse(bytes);
}

/** The same with Python's xmlrpc; it finds the documents as files, named by their index. */
export const PYTHON_CODEC_WORKER = `
import json, sys, time, xmlrpc.client
names, folder = json.loads(sys.argv[1]), sys.argv[2]
documents = {name: open("%s/%d.xml" % (folder, index), "rb").read() for index, name in enumerate(names)}
values = {name: xmlrpc.client.loads(document)[0] for name, document in documents.items()}
print("{}", flush=True)
for line in sys.stdin:
    order = json.loads(line)
    document, value = documents[order["document"]], values[order["document"]]
    start = time.process_time()
    for _ in range(order["times"]):
        if order["operation"] == "decode":
            xmlrpc.client.loads(document)
        else:
            xmlrpc.client.dumps(value, methodresponse=True).encode()
    print((time.process_time() - start) * 1000, flush=True)
`;
