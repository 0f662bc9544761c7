#!/usr/bin/env node
console.log('tributary', process.version);
