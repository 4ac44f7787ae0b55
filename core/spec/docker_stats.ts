/**
 * Docker's `GET /containers/NAME/stats`, as far as the unified control groups have it.
 *
 * @see https://docs.docker.com/reference/api/engine/
 * @module
 */

/** What processors did. */
export interface CpuStats {
  /** Nanoseconds. */
  cpu_usage: {
    /** All of it. */
    total_usage: number;
    /** In the kernel. */
    usage_in_kernelmode: number;
    /** Outside of it. */
    usage_in_usermode: number;
  };
  /** Nanoseconds that all processors of the machine have had. */
  system_cpu_usage?: number;
  /** How many processors there are. */
  online_cpus?: number;
  /** How a limit was felt. */
  throttling_data: {
    /** Periods in which there was something to do. */
    periods: number;
    /** Those in which the limit was reached. */
    throttled_periods: number;
    /** Nanoseconds. */
    throttled_time: number;
  };
}

/** What an interface has carried. */
export interface NetworkStats {
  /** Received. */
  rx_bytes: number;
  /** Received. */
  rx_packets: number;
  /** Received wrongly. */
  rx_errors: number;
  /** Received and thrown away. */
  rx_dropped: number;
  /** Sent. */
  tx_bytes: number;
  /** Sent. */
  tx_packets: number;
  /** Not sent. */
  tx_errors: number;
  /** Thrown away. */
  tx_dropped: number;
}

/** What a container uses. */
export interface ContainerStats {
  /** Its id. */
  id: string;
  /** With a leading slash. */
  name: string;
  /** RFC 3339; the year 1 if it does not run. */
  read: string;
  /** When `precpu_stats` were read. */
  preread: string;
  /** Processes and threads. */
  pids_stats: { current?: number; limit?: number };
  /** Now. */
  cpu_stats: CpuStats;
  /** The time before. */
  precpu_stats: CpuStats;
  /** Bytes. */
  memory_stats: { usage?: number; limit?: number; stats?: Record<string, number> };
  /** Of block devices. */
  blkio_stats: {
    /** Bytes, `read` and `write`. */
    io_service_bytes_recursive:
      | { major: number; minor: number; op: string; value: number }[]
      | null;
  };
  /** By interface; absent where it has none of its own. */
  networks?: Record<string, NetworkStats>;
}
