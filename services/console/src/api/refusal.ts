import { BinaryReader } from "@bufbuild/protobuf/wire";
import { ConnectError } from "@connectrpc/connect";

/** A field that a request was refused for, such as rules[2].who, and why. */
export type Violation = { field: string; sentence: string };

/** The fields that a request was refused for: the google.rpc.BadRequest among an error's details. */
export function violations(error: unknown): Violation[] {
  const found: Violation[] = [];
  for (const detail of ConnectError.from(error).details) {
    if (!("type" in detail) || detail.type !== "google.rpc.BadRequest") continue;
    readFields(detail.value, (_, bytes) => {
      const violation: Violation = { field: "", sentence: "" };
      readFields(bytes, (number, text) => {
        violation[number === 1 ? "field" : "sentence"] = new TextDecoder().decode(text);
      });
      found.push(violation);
    });
  }
  return found;
}

/** Reads fields 1 and 2 of a message where both are texts or messages, which BadRequest's all are. */
function readFields(message: Uint8Array, take: (number: number, bytes: Uint8Array) => void): void {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (number === 1 || number === 2) take(number, reader.bytes());
    else reader.skip(type, number);
  }
}
