import { describe, expect, test } from 'vitest';
import { parseQuery } from '../../src/gateway/query.ts';

const nothing = {
  datastreamId: null,
  dataStreamId: null,
  configId: null,
  requestId: null,
  silent: null,
  weir_preview: null,
  misspelt: null,
};

describe('the query', () => {
  test.each<[string, Partial<typeof nothing> | Record<string, string>]>([
    ['', {}],
    ['configId=a', { configId: 'a' }],
    ['configId=a&requestId=r&silent=true', { configId: 'a', requestId: 'r', silent: 'true' }],
    ['datastreamId=a&dataStreamId=b&configId=c', { datastreamId: 'a', dataStreamId: 'b', configId: 'c' }],
    ['configId=first&configId=second', { configId: 'first' }],
    ['configId', { configId: '' }],
    ['configId=', { configId: '' }],
    ['configId=a=b', { configId: 'a=b' }],
    ['&&configId=a&', { configId: 'a' }],
    ['configid=a&ConfigId=b', { misspelt: 'configid' }],
    ['datastream_id=a&configId=b', { misspelt: 'datastream_id', configId: 'b' }],
    ['datastream__id=a&xconfigid=b&configidx=c&datastream=d', {}],
    ['adobeAepValidationToken=s%7Cc&configId=a&__proto__=x&constructor=y', { configId: 'a' }],
    ['configId=a%3Adev', { configId: 'a:dev' }],
    ['configId=a+b', { configId: 'a b' }],
    ['configId=%E2%82%AC', { configId: '€' }],
    ['configId=%zz', { configId: '%zz' }],
    ['configId=%', { configId: '%' }],
    ['configId=%ff', { configId: '%ff' }],
    ['=a&configId=b', { configId: 'b' }],
  ])('%j', (search, wanted) => {
    expect(parseQuery(search)).toEqual({ ...nothing, ...wanted });
  });
});
