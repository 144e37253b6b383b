// A client by @grpc/grpc-js, for grpc_js_process_test.
//
//     node grpc_js_peer.js PORT
//
// The messages are written and read here by hand: all fields are short strings and varints. Exits 0
// when everything went as it must.
'use strict';
const assert = require('assert');
const crypto = require('crypto');
const grpc = require('@grpc/grpc-js');

function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 | 128);
  return Buffer.from([...bytes, value]);
}

function request({id, argument}) {
  return Buffer.concat([Buffer.from([10, id.length]), Buffer.from(id), Buffer.from([16]),
                        varint(argument)]);
}

// The fields of a message of varints, by number.
function response(bytes) {
  const fields = {};
  for (let i = 0; i < bytes.length;) {
    const field = bytes[i++] >> 3;
    let value = 0;
    for (let scale = 1;; scale *= 128) {
      value += (bytes[i] & 127) * scale;
      if (bytes[i++] < 128) break;
    }
    fields[field] = value;
  }
  return fields;
}

const client = new grpc.Client(`127.0.0.1:${process.argv[2]}`, grpc.credentials.createInsecure());

// Calls a method and tells what came, and how it ended; gives it up after `limit` messages.
function call(method, id, argument, options = {}, limit = Infinity) {
  return new Promise((resolve) => {
    const messages = [];
    const stream = client.makeServerStreamRequest(
        `/station.v1.NumbersStation/${method}`, request, response, {id, argument},
        new grpc.Metadata(), options);
    stream.on('data', (message) => {
      messages.push(message);
      if (messages.length === limit) stream.cancel();
    });
    stream.on('error', () => {});
    stream.on('status', ({code}) => resolve({messages, code}));
  });
}

async function main() {
  const id = crypto.randomUUID();
  const whole = await call('Start', id, 65535);
  assert.strictEqual(whole.code, grpc.status.OK);
  assert.strictEqual(whole.messages.length, 65535);
  const resumed = await call('Resume', id, 65000);
  assert.deepStrictEqual(resumed.messages, whole.messages.slice(65000));
  assert.strictEqual((await call('Start', id, 3)).code, grpc.status.ALREADY_EXISTS);
  assert.strictEqual((await call('Resume', crypto.randomUUID(), 0)).code, grpc.status.NOT_FOUND);
  assert.strictEqual((await call('Resume', id, 65535)).code, grpc.status.INVALID_ARGUMENT);
  assert.strictEqual((await call('Stop', id, 0)).code, grpc.status.UNIMPLEMENTED);
  assert.strictEqual((await call('Resume', id, 0, {deadline: Date.now() - 1})).code,
                     grpc.status.DEADLINE_EXCEEDED);
  for (let limit = 1; limit <= 20; limit++) {
    assert.strictEqual((await call('Resume', id, 0, {}, limit)).code, grpc.status.CANCELLED);
  }
  const many = Array.from({length: 1000}, () => call('Start', crypto.randomUUID(), 3));
  for (const {messages, code} of await Promise.all(many)) {
    assert.strictEqual(code, grpc.status.OK);
    assert.strictEqual(messages.length, 3);
  }
  client.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
