/** The proxy of `tcp-proxy.ts`, closed at the end of the test. */
import { atEnd } from './at-end.js';
import { OpenProxy } from './tcp-proxy.js';

export const TcpProxy = {
  async start(target: string): Promise<OpenProxy> {
    const proxy = await OpenProxy.open(target);
    atEnd(() => proxy.close());
    return proxy;
  },
};
export type TcpProxy = OpenProxy;
