/**
 * Published ports.
 *
 * @module
 */
import type { Scenario } from "./scenario.ts";

/** What docker was asked. */
export const ports: readonly Scenario[] = [
  {
    name: "published ports",
    lines: [
      "docker create -p bad busybox",
      "docker create -p 80:bad busybox",
      "docker create -p 80:99999 busybox",
      "docker create -p 99999:80 busybox",
      "docker create -p 1-3:1-2 busybox",
      "docker create -p 5-3:5-3 busybox",
      "docker create -p 80/foo busybox",
      "docker create -p 1.2.3:80:80 busybox",
      "docker create -p 1:2:3:4 busybox",
      "docker create -p '' busybox",
      "docker create --expose bad busybox",
      "docker create --expose 80/foo busybox",
      "docker create -P=maybe busybox",
      "docker run -d --name one -p 127.0.0.1:18180:80 -p 18190-18192:90-92/udp -p 127.0.0.2:18181:80 " +
      "-p '[::1]:18182:80' --expose 99 --expose 101-103 busybox sleep 1000",
      "docker port one",
      "docker port one 80",
      "docker port one 80/tcp",
      "docker port one 91/udp",
      "docker port one 91",
      "docker port one 99",
      "docker port one foo",
      "docker port one 80/foo",
      "docker port one 1-2",
      "docker port nobody",
      "docker port",
      "docker port one two three",
      "docker ps --format '{{.Ports}}'",
      "docker ps --filter publish=18180 --format '{{.Names}}'",
      "docker ps --filter publish=18191/udp --format '{{.Names}}'",
      "docker ps --filter publish=18191 --format '{{.Names}}'",
      "docker ps --filter expose=80 --format '{{.Names}}'",
      "docker ps --filter expose=100-102 --format '{{.Names}}'",
      "docker ps --filter publish=foo",
      "docker inspect one -f '{{json .HostConfig.PortBindings}}'",
      "docker inspect one -f '{{json .NetworkSettings.Ports}}'",
      "docker inspect one -f '{{json .Config.ExposedPorts}}'",
      "docker inspect one -f '{{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostPort}}'",
      "docker run -d --name two -p 127.0.0.1:18180:80 busybox sleep 1000 2>&1 | " +
      "sed 's/endpoint .*: Bind/endpoint: Bind/; s/^[0-9a-f]*$//; s/(.*)//'",
      "docker inspect two -f '{{.State.Status}} {{.State.ExitCode}} {{json .NetworkSettings.Ports}}'",
      "docker rm two",
      "docker run --rm -p 18185:80 --network host busybox true",
      "docker run --rm -p 18185:80 --network none busybox true",
      "docker run --rm -p 18185:80 --network container:one busybox true",
      "docker stop -t 0 one",
      "docker port one",
      "docker port one 80",
      "docker ps -a --filter name=one --format '{{.Ports}}'",
      "docker start one",
      "docker port one 80",
      "docker rm -f one",
      "docker create --name three -p 80 -p 18187:81 busybox",
      "docker port three",
      "docker inspect three -f '{{json .HostConfig.PortBindings}} {{json .NetworkSettings.Ports}}'",
      "docker rm three",
    ],
  },
];
